package main

import (
	"os/exec"

	"github.com/authctl/authctl/internal/seccomptest"
	"golang.org/x/sys/unix"
)

// programs are those that scripts run by their name: nokeys EPERM authctl … runs authctl where the kernel refuses its
// keyrings.
func programs() map[string]func() {
	return map[string]func(){"authctl": main, "nokeys": seccomptest.Main}
}

// kernelKeys returns why the kernel keeps no keys for this user, as it does not in many a container.
func kernelKeys() error {
	_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true)
	return err
}

// refused runs a process to its end, to which the kernel refuses its keyrings as in a container.
func (p *place) refused(args ...string) outcome {
	p.t.Helper()
	nokeys, err := exec.LookPath("nokeys")
	if err != nil {
		p.t.Fatal(err)
	}
	r := p.prepare(args...)
	r.Args = append([]string{"nokeys", "EPERM", r.Path}, args...)
	r.Path = nokeys
	if err := r.Start(); err != nil {
		p.t.Fatal(err)
	}
	return r.end()
}
