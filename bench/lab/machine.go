//go:build linux

package lab

import (
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Machine describes what was measured on, without naming it.
type Machine struct {
	CPUs             int
	System, Go, Arch string
	// Peers are the versions of the Debian packages that were measured beside authctl.
	Peers []string
}

// ThisMachine describes where the program runs.
func ThisMachine() Machine {
	m := Machine{CPUs: runtime.NumCPU(), System: runtime.GOOS, Go: runtime.Version(), Arch: runtime.GOARCH}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		// What follows the version says who built the kernel, and for what.
		version, _, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), "-")
		m.System = "Linux " + version
	}
	return m
}

func (m Machine) String() string {
	return fmt.Sprintf("%d CPUs, %s, %s, %s", m.CPUs, m.System, m.Arch, m.Go)
}
