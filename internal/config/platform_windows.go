package config

import (
	"context"
	"io/fs"
	"os"
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

// unsafeConfig passes every file: mode bits say nothing on Windows, where a
// user's profile directory is closed to others.
func unsafeConfig(fs.FileInfo) string { return "" }

func writableByOthers(fs.FileInfo) bool { return false }

func readableByOthers(fs.FileInfo) bool { return false }

func keepOwner(*os.File, fs.FileInfo) {}
