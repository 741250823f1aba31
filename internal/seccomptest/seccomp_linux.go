// Package seccomptest has the kernel refuse its keyrings to a program, as it does in many containers: for tests only.
package seccomptest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errno is the answer of a name: EPERM as by the default profile of Docker, ENOSYS as from a kernel without keyrings.
func errno(name string) (uint32, error) {
	switch name {
	case "EPERM":
		return uint32(unix.EPERM), nil
	case "ENOSYS":
		return uint32(unix.ENOSYS), nil
	}
	return 0, fmt.Errorf("there is no error %q", name)
}

// Main is a program: it runs the command of its arguments in its own place, and every call of the keyrings (add_key,
// request_key, keyctl) gets the error that the first argument names. It returns only when that fails.
func Main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "nokeys:", err)
		os.Exit(125) //nolint:forbidigo // this is a program
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: nokeys EPERM|ENOSYS COMMAND [ARGUMENT…]")
	}
	answer, err := errno(args[0])
	if err != nil {
		return err
	}
	path, err := exec.LookPath(args[1])
	if err != nil {
		return err
	}
	// The filter is the thread's, and the thread that replaces the program hands it on.
	runtime.LockOSThread()
	if err := filter(answer); err != nil {
		return err
	}
	return unix.Exec(path, args[1:], os.Environ())
}

// filter installs the program for this thread (seccomp(2), SECCOMP_SET_MODE_FILTER).
func filter(answer uint32) error {
	const equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	program := [...]unix.SockFilter{
		// The number of the call is the first word of struct seccomp_data.
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		{Code: equal, K: unix.SYS_ADD_KEY, Jt: 3},
		{Code: equal, K: unix.SYS_REQUEST_KEY, Jt: 2},
		{Code: equal, K: unix.SYS_KEYCTL, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | answer},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	loaded := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER,
		uintptr(unsafe.Pointer(&loaded)), 0, 0) //nolint:gosec // as prctl(2) wants it
}
