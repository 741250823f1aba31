//go:build !linux

package store

import (
	"context"
	"errors"
)

// kernelKey is a key that no other system's kernel keeps.
type kernelKey struct{ description string }

func (k kernelKey) find() (string, error) { return "", k.lacking() }

func (k kernelKey) have(context.Context) (text string, made bool, err error) {
	return "", false, k.lacking()
}

func (k kernelKey) inspect(*KernelState) error { return k.lacking() }

func (kernelKey) lacking() error {
	return &UnusableError{Problem: Unreachable, Hint: kernelHint, Err: errors.New("this system has no kernel keyring")}
}

// localAndWritable is not asked where there is no key.
func localAndWritable(d privateDir) bool { return d.path != "" }

// keySpace is empty: there are no keyrings that differ.
func keySpace() string { return "" }
