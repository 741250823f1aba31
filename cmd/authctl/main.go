// Command authctl gives scripts, pipelines and developers a bearer token from
// any of several identity services, and keeps it in the OS keyring until it
// expires.
package main

import (
	"os"

	"github.com/authctl/authctl/internal/cli"
	"github.com/authctl/authctl/internal/term"
)

func main() {
	ctx, stop := cli.Signals()
	code := cli.Main(ctx, cli.Dependencies{
		Args:      os.Args[1:],
		Streams:   term.System(),
		LookupEnv: os.LookupEnv,
	})
	stop()
	os.Exit(code)
}
