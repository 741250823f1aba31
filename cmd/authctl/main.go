// Command authctl gives scripts, pipelines and developers a bearer token from
// any of several identity services, and keeps it in the OS keyring until it
// expires.
package main

import (
	"context"
	"os"

	"github.com/authctl/authctl/internal/cli"
	"github.com/authctl/authctl/internal/term"
)

func main() {
	os.Exit(cli.Main(context.Background(), cli.Dependencies{
		Args:      os.Args[1:],
		Streams:   term.System(),
		LookupEnv: os.LookupEnv,
		Environ:   os.Environ,
		Signals:   cli.Signals,
		EndBy:     cli.EndBy,
	}))
}
