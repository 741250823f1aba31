//go:build linux

// Command proxy measures what `authctl proxy` adds to a request, beside a bare httputil.ReverseProxy and the nginx of
// Debian, all before one upstream on loopback, each a process of its own. It prints tables and keeps the figures in
// bench/proxy/results.json. It is run by `make bench-proxy`; with -markdown it measures nothing and writes what was
// kept.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// options are the flags.
type options struct {
	authctl, results string
	markdown         bool
	rounds, requests int
	each             time.Duration
	connections      int
}

func main() {
	if role := os.Getenv(roleVariable); role != "" {
		fmt.Fprintln(os.Stderr, play(role))
		os.Exit(1)
	}
	var o options
	flag.StringVar(&o.authctl, "authctl", "", "measure this program instead of building one")
	flag.StringVar(&o.results, "results", "bench/proxy/results.json", "the file that keeps the results")
	flag.BoolVar(&o.markdown, "markdown", false, "write the kept results as Markdown")
	flag.IntVar(&o.rounds, "rounds", 7, "how often each is measured, in turns")
	flag.IntVar(&o.requests, "requests", 1500, "how many requests follow each other on one connection in a round")
	flag.IntVar(&o.connections, "connections", 64, "how many connections ask at once for the throughput")
	flag.DurationVar(&o.each, "each", 2*time.Second, "how long they do in a round")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "proxy: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.markdown {
		kept, err := readReport(o.results)
		if err != nil {
			return err
		}
		_, err = os.Stdout.WriteString(kept.markdown())
		return err
	}
	s, err := newStand(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	r, err := s.measure(ctx, o)
	if err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString(r.markdown()); err != nil {
		return err
	}
	return r.keep(o.results)
}
