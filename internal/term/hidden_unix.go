//go:build unix

package term

import (
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// hidden is a terminal that does not show what is typed.
type hidden struct {
	fd             int
	before, silent unix.Termios
	// again asks once more, for who comes back to a stopped process.
	again func()
}

// hide turns a terminal's echo off until show is called. Who stops the process by Ctrl-Z
// finds the terminal as it was, and who continues it is asked again, unseen.
func hide(fd int, again func()) (show func(), err error) {
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	h := &hidden{fd: fd, before: *before, silent: *before, again: again}
	h.silent.Lflag &^= unix.ECHO
	h.silent.Lflag |= unix.ICANON | unix.ISIG
	h.silent.Iflag |= unix.ICRNL
	jobs := make(chan os.Signal, 2)
	signal.Notify(jobs, syscall.SIGTSTP, syscall.SIGCONT)
	if err := h.set(&h.silent); err != nil {
		signal.Stop(jobs)
		return nil, err
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		h.watch(jobs, done)
	}()
	return sync.OnceFunc(func() {
		signal.Stop(jobs)
		close(done)
		<-gone
		_ = h.set(&h.before)
	}), nil
}

func (h *hidden) set(state *unix.Termios) error { return unix.IoctlSetTermios(h.fd, setTermios, state) }

// watch keeps the terminal silent for as long as this process has it.
func (h *hidden) watch(jobs <-chan os.Signal, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case s := <-jobs:
			if s == syscall.SIGTSTP {
				_ = h.set(&h.before)
				stopHere()
			}
			h.resume()
		}
	}
}

// resume hides again what a shell has shown meanwhile. In the background the terminal
// stops the process at this, as it should.
func (h *hidden) resume() {
	now, err := unix.IoctlGetTermios(h.fd, getTermios)
	if err != nil || now.Lflag&unix.ECHO == 0 {
		return
	}
	_ = h.set(&h.silent)
	h.again()
}

// readLine reads what is typed up to the end of the line, or io.EOF.
func readLine(fd int) (string, error) {
	var line []byte
	buffer := make([]byte, maxLine+1)
	for {
		n, err := unix.Read(fd, buffer)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return "", os.NewSyscallError("read", err)
		case n == 0 && len(line) == 0:
			return "", io.EOF
		case n == 0:
			return string(line), nil
		}
		line = append(line, buffer[:n]...)
		if line[len(line)-1] == '\n' {
			return string(line[:len(line)-1]), nil
		}
	}
}

// controllingTerminal opens the terminal that controls this process (XBD §11.1.3), nil where
// there is none, or where it belongs to another job: the system would stop this process for
// reading from it.
func controllingTerminal() *os.File {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	if group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP); err != nil || group != unix.Getpgrp() {
		_ = terminal.Close()
		return nil
	}
	return terminal
}
