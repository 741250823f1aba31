//go:build unix

package source

import (
	"context"
	"os/exec"
	"syscall"
)

// shell runs line with sh. In a group of its own it is killed with its children.
func shell(ctx context.Context, line string, ownGroup bool) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	if ownGroup {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	}
	return cmd
}
