package session

import "syscall"

// apart starts a process in a group of its own, which Ctrl-C in this console does
// not reach.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
