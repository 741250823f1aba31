//go:build !linux

package daemontest

import (
	"os"
	"os/exec"
)

func tie(*exec.Cmd) {}

func keepThread() func() { return func() {} }

func kill(pid int) {
	if process, err := os.FindProcess(pid); err == nil {
		_ = process.Kill()
	}
}
