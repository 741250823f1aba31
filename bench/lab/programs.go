//go:build linux

// Package lab is what measurements are made with: the program as it is released, the sandbox beside it, the machine
// described without its name, medians and tables.
package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"filippo.io/age"
)

// BuildAuthctl builds the program as `make build` does, less its version, and returns its path. Given a program, that
// is installed instead.
func BuildAuthctl(ctx context.Context, dir, given string) (string, error) {
	out := filepath.Join(dir, "authctl")
	if given != "" {
		return out, install(given, out)
	}
	return out, Build(ctx, out, "github.com/authctl/authctl/cmd/authctl")
}

// Build builds a package, or the program of a file, against the modules of this project.
func Build(ctx context.Context, out, what string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, what)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", what, err, said)
	}
	return install(out, out)
}

// install writes a program in one piece, as dpkg does with those it is measured beside. Linux maps such a file in
// larger units than one that a linker wrote here and there, which saves a fifth of a warm call.
func install(from, to string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.WriteFile(to, program, 0o755)
}

// Environment is this process' without what would steer one of the measured programs.
func Environment() []string {
	var kept []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		prefix, _, _ := strings.Cut(name, "_")
		switch prefix {
		case "AUTHCTL", "XDG", "GH", "GITHUB", "OIDC", "PYTHON", "CI", "DBUS":
			continue
		}
		if !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// StoreKey makes a key for the stores that need one.
func StoreKey() (string, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return "", err
	}
	return identity.String(), nil
}
