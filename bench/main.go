//go:build linux

// Command bench measures authctl as it is released beside programs that do a comparable job, in one run and in turns
// (A B A B …), because the figures of two runs on a busy machine do not compare. It starts a real Secret Service and
// the sandbox of its own, prints a table and keeps it in bench/results. It is run by `make bench`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

// options are the flags.
type options struct {
	rounds  int
	crowds  int
	authctl string
	results string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 40, "how often each comparison is made")
	flag.IntVar(&o.crowds, "crowds", 3, "how often 50 processes are started at once")
	flag.StringVar(&o.authctl, "authctl", "", "measure this program instead of building one")
	flag.StringVar(&o.results, "results", "bench/results", "the directory that keeps the results")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// run measures all there is. A missed target is a result and not an error.
func run(ctx context.Context, o options) (err error) {
	if o.rounds < 1 || o.crowds < 1 {
		return errors.New("-rounds and -crowds are at least 1")
	}
	bed, err := newTestbed(ctx, o.authctl)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bed.close()) }()
	comparisons, err := bed.comparisons(ctx)
	if err != nil {
		return err
	}
	r := &report{Rounds: o.rounds, Started: time.Now()}
	for _, c := range comparisons {
		fmt.Fprintf(os.Stderr, "bench: %s\n", c.title)
		result, err := c.measure(ctx, bed.peak, o.rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
		r.Comparisons = append(r.Comparisons, result)
	}
	for _, store := range []string{"file", "keyring"} {
		fmt.Fprintf(os.Stderr, "bench: %d processes at once, %s store\n", crowdSize, store)
		result, err := bed.crowd(ctx, store, o.crowds)
		if err != nil {
			return fmt.Errorf("%d processes at once, %s store: %w", crowdSize, store, err)
		}
		r.Crowds = append(r.Crowds, result)
	}
	return r.publish(os.Stdout, o.results)
}

// publish prints the table and keeps it, with a copy in the format of Go's benchmarks for benchstat.
func (r *report) publish(stdout *os.File, directory string) error {
	if _, err := stdout.WriteString(r.table()); err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	stem := filepath.Join(directory, r.Started.UTC().Format("2006-01-02T15-04-05Z"))
	for name, text := range map[string]string{stem + ".txt": r.table(), stem + ".bench": r.benchmarks()} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(stdout, "\nkept in %s.txt and .bench\n", stem)
	return err
}
