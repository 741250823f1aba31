//go:build linux

// Command bench measures authctl as it is released beside programs that do a comparable job, in one run and in turns
// (A B C … A B C …), because the figures of two runs on a busy machine do not compare. It starts a real Secret Service
// and the sandbox of its own, prints tables and keeps them in bench/results. It is run by `make bench`.
//
// With -markdown or -charts it measures nothing, and writes what runs have kept, which are its arguments.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// options are the flags.
type options struct {
	rounds, crowds, soak int
	quick                bool
	authctl              string
	results              string
	markdown, charts     bool
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 120, "how often each comparison is made")
	flag.IntVar(&o.crowds, "crowds", 5, "how often each crowd is started")
	flag.IntVar(&o.soak, "soak", 20000, "how many warm calls are made in a row")
	flag.BoolVar(&o.quick, "quick", false, "small crowds, few profiles, a short row of calls: to see that it works")
	flag.StringVar(&o.authctl, "authctl", "", "measure this program instead of building one")
	flag.StringVar(&o.results, "results", "bench/results", "the directory that keeps the results")
	flag.BoolVar(&o.markdown, "markdown", false, "write the kept results that are named as Markdown")
	flag.BoolVar(&o.charts, "charts", false, "write what the pictures of the kept results that are named show, as JSON")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, args []string) error {
	if o.markdown || o.charts {
		return rewrite(o, args)
	}
	if o.rounds < 1 || o.crowds < 1 || o.soak < 1 || len(args) > 0 {
		return errors.New("-rounds, -crowds and -soak are at least 1, and there are no arguments")
	}
	r, err := measure(ctx, o)
	if err != nil {
		return err
	}
	return r.publish(os.Stdout, o.results)
}

// rewrite writes kept results in another form.
func rewrite(o options, names []string) error {
	if len(names) == 0 {
		return errors.New("name the runs to write about, such as bench/results/*.json; make bench keeps them")
	}
	reports, err := readReports(names)
	if err != nil {
		return err
	}
	text := results(reports)
	if o.charts {
		if text, err = charts(reports); err != nil {
			return err
		}
	}
	_, err = os.Stdout.WriteString(text)
	return err
}

// measure measures all there is. A missed target is a result and not an error.
func measure(ctx context.Context, o options) (_ *report, err error) {
	r := &report{Started: time.Now(), Rounds: o.rounds, Machine: lab.ThisMachine()}
	b, err := newTestbed(ctx, o.authctl)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, set := range b.comparisons() {
		c, err := set(ctx, o.quick)
		if err != nil {
			return nil, err
		}
		say(c.title)
		g, err := c.measure(ctx, b.runner, o.rounds)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.title, err)
		}
		r.Groups = append(r.Groups, g)
	}
	if err := r.measureMany(ctx, b, o); err != nil {
		return nil, err
	}
	r.Took, r.Machine.Peers, r.Unmeasured = time.Since(r.Started), b.versions, b.unmeasured
	return r, nil
}

// measureMany measures many processes: at once, and in a row.
func (r *report) measureMany(ctx context.Context, b *testbed, o options) error {
	sizes := []int{1, 10, 50, 200}
	if o.quick {
		sizes, o.soak = []int{1, 5}, min(o.soak, 120)
	}
	say("processes at once")
	crowd, err := b.crowds(ctx, sizes, o.crowds)
	if err != nil {
		return fmt.Errorf("processes at once: %w", err)
	}
	say(fmt.Sprintf("%d warm calls", o.soak))
	soak, err := b.soak(ctx, o.soak)
	if err != nil {
		return fmt.Errorf("%d warm calls: %w", o.soak, err)
	}
	r.Groups = append(r.Groups, crowd, soak)
	return nil
}

func say(what string) { fmt.Fprintf(os.Stderr, "bench: %s\n", what) }
