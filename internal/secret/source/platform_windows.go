package source

import (
	"context"
	"os/exec"
	"strconv"
	"syscall"
)

// shell runs line with cmd, which wants it as it is, and is ended with its
// children by taskkill.
func shell(ctx context.Context, line string, ownGroup bool) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /S /C "` + line + `"`, HideWindow: ownGroup}
	cmd.Cancel = func() error {
		pid := strconv.Itoa(cmd.Process.Pid)
		if err := exec.Command("taskkill.exe", "/T", "/F", "/PID", pid).Run(); err != nil {
			return cmd.Process.Kill()
		}
		return nil
	}
	return cmd
}
