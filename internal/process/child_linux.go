package process

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel terminate a child whose parent is gone: who killed this
// process means the child too, and nobody is left to renew its token. See prctl(2),
// PR_SET_PDEATHSIG.
func dieWithParent(child *exec.Cmd) {
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
