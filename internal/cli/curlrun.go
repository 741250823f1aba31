package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
)

// errNotAccepted says that the service answered 401 and that nothing was written.
var errNotAccepted = errors.New("the service did not accept the token")

// curlWriteError is curl's own exit code for output that nobody takes, see
// https://curl.se/docs/manpage.html#23.
const curlWriteError = 23

// curlRun is one call of curl, which may take two runs.
type curlRun struct {
	app         *app
	path        string
	environment []string
	call        *curlCall
	// byStdin says that curl's configuration takes its stdin.
	byStdin bool
	// watch says that the output is held back until the reply is known not to be a 401,
	// and thrown away when it is one.
	watch bool
}

// once runs curl with a token. errNotAccepted is returned by a run that is watched.
func (r *curlRun) once(token printed) error {
	var all pipes
	defer func() { all.close() }()
	config, configWriter, err := all.open()
	if err != nil {
		return fmt.Errorf("making a pipe for curl: %w", err)
	}
	child := r.command(config)
	output, err := r.output(child, token, &all)
	if err != nil {
		return fmt.Errorf("making a pipe for curl: %w", err)
	}
	if len(output.streams) > 0 {
		// Output that nobody takes is an error to pass on to curl, and not this process's
		// end. Unlike an ignored signal, a caught one is not inherited.
		broken := make(chan os.Signal, 1)
		signal.Notify(broken, syscall.SIGPIPE)
		defer signal.Stop(broken)
	}
	err = runChild(r.app.ctx, child, func() (after func(<-chan os.Signal) error) {
		_ = config.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			var both sync.WaitGroup
			both.Go(func() {
				_, _ = io.WriteString(configWriter, r.config(token))
				_ = configWriter.Close()
			})
			both.Go(output.pass)
			both.Wait()
		}()
		return func(signals <-chan os.Signal) error {
			// What curl wrote may still be on its way to somebody who is slow.
			select {
			case <-done:
				return nil
			case s := <-signals:
				return interruptedBy(s)
			}
		}
	})
	return output.judge(err)
}

// judge returns how a run has ended.
func (o *curlOutput) judge(err error) error {
	if _, ok := errors.AsType[Interrupted](err); ok {
		return err
	}
	if ended, ok := errors.AsType[*childError](err); ok && ended.code > 128 {
		return err // by a signal, which was not meant for the first run only
	}
	if o.refused {
		return errNotAccepted
	}
	if err == nil && o.headers != nil && o.streams[0].failed != nil {
		return &childError{curlWriteError, fmt.Errorf("passing curl's output on: %w", o.streams[0].failed)}
	}
	return err
}

// command is curl with its configuration on the descriptor 3, so that stdin stays the
// user's. -q comes first: a curlrc could send the token elsewhere.
func (r *curlRun) command(config *os.File) *exec.Cmd {
	from := "/dev/fd/3"
	if r.byStdin {
		from = "-"
	}
	child := exec.Command(r.path) //nolint:noctx // it ends when it likes
	child.Args = append([]string{"curl", "-q", "--config", from}, r.call.args...)
	child.Env = r.environment
	child.Stdin, child.Stdout, child.Stderr = r.app.Streams.In, r.app.Streams.Out, r.app.Streams.Err
	if r.byStdin {
		child.Stdin = config
	} else {
		child.ExtraFiles = []*os.File{config}
	}
	return child
}
