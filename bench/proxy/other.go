//go:build !linux

// Command proxy measures on Linux, beside the nginx of Debian.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "proxy: it runs on Linux only")
	os.Exit(1)
}
