//go:build !linux

package main

import "errors"

// kernelKeys returns why the kernel keeps no keys: no other system's does.
func kernelKeys() error { return errors.ErrUnsupported }

// programs are those that scripts run by their name.
func programs() map[string]func() { return map[string]func(){"authctl": main} }
