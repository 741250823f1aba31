//go:build unix

package session

import "syscall"

// apart starts a process in a session of its own: a browser that this program
// started must survive it, and Ctrl-C in its terminal.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
