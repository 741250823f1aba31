// Command authctl gives scripts, pipelines and developers a bearer token from
// any of several identity services, and keeps it in the OS keyring until it
// expires.
package main

import (
	"context"
	"io"
	"log"
	"os"

	"github.com/authctl/authctl/internal/cli"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/term"
)

func main() {
	// Libraries log what they meet, and that can be a token: nothing but our own words
	// reaches stderr.
	log.SetOutput(io.Discard)
	os.Exit(cli.Main(context.Background(), verb.World{
		Args:      os.Args[1:],
		Streams:   term.System(),
		LookupEnv: os.LookupEnv,
		Environ:   os.Environ,
		Signals:   process.Signals,
		EndBy:     process.EndBy,
	}))
}
