//go:build unix

package config

import (
	"context"
	"fmt"
	"io/fs"
	"os"
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

// unsafeConfig says why a configuration file is not to be trusted, or nothing.
// Devices pass, so that /dev/null can stand for no configuration.
func unsafeConfig(info fs.FileInfo) string {
	if info.Mode()&fs.ModeDevice != 0 {
		return ""
	}
	if writableByOthers(info) {
		return fmt.Sprintf("can be written by others (mode %04o)", info.Mode().Perm())
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return fmt.Sprintf("belongs to another user (uid %d)", stat.Uid)
	}
	return ""
}

// writableByOthers reports whether another user may change a file: anybody, or a
// group that is not the user's own. Many systems give each user a group of their
// own and a umask that lets it write.
func writableByOthers(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	group := !ok || int(stat.Gid) != os.Getegid()
	return info.Mode().Perm()&0o002 != 0 || group && info.Mode().Perm()&0o020 != 0
}

// readableByOthers reports whether another user may read a file, by the rule of
// writableByOthers.
func readableByOthers(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	group := !ok || int(stat.Gid) != os.Getegid()
	return info.Mode().Perm()&0o004 != 0 || group && info.Mode().Perm()&0o040 != 0
}

// keepOwner gives file the owner of the one it replaces, where that is allowed.
func keepOwner(file *os.File, info fs.FileInfo) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = file.Chown(int(stat.Uid), int(stat.Gid))
	}
}
