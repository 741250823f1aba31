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
	growStack(-1)
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

// growStack lets the stack grow at once to the 32 KiB that a command needs: the frame is checked for on entry, also
// where the array is not reached. A stack that doubles on the way is copied each time, and every frame on it looked
// up in the tables of the program: 17 page faults and 2 % of a warm call.
//
//go:noinline
func growStack(index int) byte {
	if index < 0 {
		return 0
	}
	var room [20 << 10]byte
	return room[index]
}
