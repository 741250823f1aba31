//go:build linux

// Command fleet measures many machines that share tokens by one engine: each runner is a process of authctl with a
// home, a runtime and a state directory of its own, beside one redis-server and a sandbox behind a gate that can be
// shut. It prints tables and keeps the figures in bench/fleet/results. It is run by `make fleet`.
//
// With -soft it measures what a steady stream of runners notices of renewals and of a service that is down. With
// -markdown, -charts or -tables it measures nothing, and writes what was kept: bench/fleet/RESULTS.md, the pictures of
// docs/fleets.md as tools/plot reads them, and the tables of that page.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

// options are the flags.
type options struct {
	soft, quick              bool
	stores                   []string
	authctl, results         string
	markdown, charts, tables bool
}

func main() {
	o := options{stores: []string{"redis", "file"}}
	flag.BoolVar(&o.soft, "soft", false, "measure what a steady stream of runners notices of renewals and outages")
	flag.BoolVar(&o.quick, "quick", false, "a handful of runners: to see that it works")
	flag.StringVar(&o.authctl, "authctl", "", "measure this program instead of building one")
	flag.StringVar(&o.results, "results", "bench/fleet/results", "the directory that keeps the results")
	flag.BoolVar(&o.markdown, "markdown", false, "write the kept results as Markdown")
	flag.BoolVar(&o.charts, "charts", false, "write what the pictures of docs/fleets.md show, as JSON")
	flag.BoolVar(&o.tables, "tables", false, "write the page that is the argument with the tables that the results make")
	flag.Func("store", "with -soft, measure this store alone: redis or file", func(name string) error {
		o.stores = []string{name}
		return nil
	})
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "fleet: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, args []string) error {
	if o.markdown || o.charts || o.tables {
		return rewrite(o, args)
	}
	if len(args) > 0 {
		return errors.New("there are no arguments without -tables")
	}
	name, measure := "fleet", measureFleet
	if o.soft {
		name, measure = "soft", measureSoft
	}
	r, err := measure(ctx, o)
	if err != nil {
		return err
	}
	return r.publish(os.Stdout, filepath.Join(o.results, name+".json"))
}

// rewrite writes kept results in another form.
func rewrite(o options, args []string) error {
	kept, err := readKept(o.results)
	if err != nil {
		return err
	}
	var text string
	switch {
	case o.markdown:
		text = kept.markdown()
	case o.charts:
		text, err = kept.charts()
	case len(args) != 1:
		err = errors.New("-tables has one argument: the page, such as docs/fleets.md")
	default:
		text, err = kept.page(args[0])
	}
	if err != nil {
		return err
	}
	_, err = os.Stdout.WriteString(text)
	return err
}

func say(what string) { fmt.Fprintf(os.Stderr, "fleet: %s\n", what) }
