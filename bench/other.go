//go:build !linux

// Command bench measures authctl on Linux, where a Secret Service can be had without a desktop.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: it runs on Linux only")
	os.Exit(1)
}
