// Package daemontest runs daemons that die with the tests' process, however that ends: for tests only.
package daemontest

import "os/exec"

// Daemon is a child process in a process group of its own.
type Daemon struct {
	// PID is the process's, also after its end.
	PID    int
	exited chan struct{}
}

// Exited is closed when the daemon has ended.
func (d *Daemon) Exited() <-chan struct{} { return d.exited }

// Start starts a daemon. On Linux the kernel kills it when the thread that started it ends, so that thread stays with
// it to its end.
func Start(cmd *exec.Cmd) (*Daemon, error) {
	tie(cmd)
	d := &Daemon{exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		defer keepThread()()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(d.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	d.PID = cmd.Process.Pid
	return d, nil
}

// Stop kills the daemon with its children and waits for its end. Of a nil Daemon it does nothing.
func (d *Daemon) Stop() {
	if d == nil {
		return
	}
	select {
	case <-d.exited:
	default:
		kill(d.PID)
		<-d.exited
	}
}
