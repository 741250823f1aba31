//go:build !linux

package process

import "os/exec"

// dieWithParent does nothing where a child cannot be bound to its parent.
func dieWithParent(*exec.Cmd) {}
