//go:build !linux

// Command fleet measures many machines that share tokens, on Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "fleet: it runs on Linux only")
	os.Exit(1)
}
