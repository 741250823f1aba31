//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// emptySource is the least a Go program can cost.
const emptySource = `package main

func main() {}
`

// peakSource runs a program and prints the most memory it had resident, in KiB. It is a program of its own because
// Linux hands the peak of the address space that calls execve on to the program that starts (getrusage(2) says
// nothing of it): measured from a process as big as this one, every small program would seem as big.
const peakSource = `package main

import (
	"os"
	"strconv"
	"syscall"
)

func main() {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		os.Exit(125)
	}
	child, err := os.StartProcess(os.Args[1], os.Args[1:], &os.ProcAttr{Files: []*os.File{null, null, os.Stderr}})
	if err != nil {
		os.Exit(125)
	}
	state, err := child.Wait()
	if err != nil || !state.Success() {
		os.Exit(125)
	}
	usage := state.SysUsage().(*syscall.Rusage)
	os.Stdout.WriteString(strconv.FormatInt(usage.Maxrss, 10) + "\n")
}
`

// buildSource builds a program of one file and returns its path.
func buildSource(ctx context.Context, dir, name, source string) (string, error) {
	file := filepath.Join(dir, name+".go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		return "", err
	}
	return build(ctx, filepath.Join(dir, name), file)
}

// buildAuthctl builds the program as `make build` does, less its version.
func buildAuthctl(ctx context.Context, dir string) (string, error) {
	return build(ctx, filepath.Join(dir, "authctl"), "./cmd/authctl")
}

func build(ctx context.Context, out, what string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, what)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", what, err, said)
	}
	return out, nil
}
