//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/authctl/authctl/bench/lab"
)

// emptySource is the least a Go program can cost.
const emptySource = `package main

func main() {}
`

// runnerSource runs a program N times and prints a line for each: the most memory it had resident, in KiB, and its page
// faults. It is a program of its own because Linux hands the peak of the address space that calls execve on to the
// program that starts (getrusage(2) says nothing of it): measured from a process as big as this one, every small
// program would seem as big. Its arguments are N, the file to read or nothing, and the program's.
const runnerSource = `package main

import (
	"os"
	"strconv"
	"syscall"
)

func main() {
	times, _ := strconv.Atoi(os.Args[1])
	in := os.Args[2]
	if in == "" {
		in = os.DevNull
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		fail(err)
	}
	for range times {
		stdin, err := os.Open(in)
		if err != nil {
			fail(err)
		}
		child, err := os.StartProcess(os.Args[3], os.Args[3:], &os.ProcAttr{Files: []*os.File{stdin, null, os.Stderr}})
		if err != nil {
			fail(err)
		}
		state, err := child.Wait()
		if err != nil {
			fail(err)
		}
		stdin.Close()
		if !state.Success() {
			os.Stderr.WriteString(state.String() + "\n")
			os.Exit(125)
		}
		usage := state.SysUsage().(*syscall.Rusage)
		os.Stdout.WriteString(strconv.FormatInt(usage.Maxrss, 10) + " " + strconv.FormatInt(usage.Minflt, 10) + "\n")
	}
}

func fail(err error) {
	os.Stderr.WriteString(err.Error() + "\n")
	os.Exit(125)
}
`

// busSource reads one secret from the Secret Service with the fewest exchanges there can be: the floor of what a Go
// program pays for it. Its argument is the attribute username.
const busSource = `package main

import (
	"os"

	"github.com/godbus/dbus/v5"
)

func main() {
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		panic(err)
	}
	service := conn.Object("org.freedesktop.secrets", "/org/freedesktop/secrets")
	// Without this, OpenSession ends gnome-keyring 42 now and then: see introduced in the client of authctl.
	if _, err := service.GetProperty("org.freedesktop.Secret.Service.Collections"); err != nil {
		panic(err)
	}
	opening := service.Go("org.freedesktop.Secret.Service.OpenSession", 0, nil, "plain", dbus.MakeVariant(""))
	searching := service.Go("org.freedesktop.Secret.Service.SearchItems", 0, nil,
		map[string]string{"service": "authctl", "username": os.Args[1]})
	var (
		ignored          dbus.Variant
		session          dbus.ObjectPath
		unlocked, locked []dbus.ObjectPath
		secret           struct {
			Session     dbus.ObjectPath
			Parameters  []byte
			Value       []byte
			ContentType string
		}
	)
	if err := (<-opening.Done).Store(&ignored, &session); err != nil {
		panic(err)
	}
	if err := (<-searching.Done).Store(&unlocked, &locked); err != nil {
		panic(err)
	}
	item := conn.Object("org.freedesktop.secrets", unlocked[0])
	if err := item.Call("org.freedesktop.Secret.Item.GetSecret", 0, session).Store(&secret); err != nil {
		panic(err)
	}
	os.Stdout.Write(secret.Value)
}
`

// buildSource builds a program of one file, against the modules of this project, and returns its path.
func buildSource(ctx context.Context, dir, name, source string) (string, error) {
	file, out := filepath.Join(dir, name+".go"), filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		return "", err
	}
	return out, lab.Build(ctx, out, file)
}
