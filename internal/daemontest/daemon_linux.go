package daemontest

import (
	"os/exec"
	"runtime"
	"syscall"
)

func tie(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// keepThread keeps the goroutine's thread until what it returns is called.
func keepThread() func() {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}

func kill(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
