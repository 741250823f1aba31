package curl

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/process"
)

// run is one run of curl. Its stdin, stdout and stderr are the user's own, but for what -v
// writes.
type run struct {
	*verb.Deps
	call  *call
	child *exec.Cmd
	// byStdin says that curl's configuration takes its stdin.
	byStdin bool
	// watch says that curl writes the reply's headers to a pipe too, to see a 401 in them.
	watch bool
	// refused says that the reply was a 401.
	refused atomic.Bool

	// theirs are curl's ends of the pipes, and beside is what works on the others meanwhile.
	theirs []*os.File
	beside sync.WaitGroup
}

// prepare finds curl and prepares what does not depend on the token. Its configuration is on
// the descriptor 3, so that stdin stays the user's. -q comes first: a curlrc could send the
// token elsewhere.
func (c *command) prepare(s *client.Client, asked *call) (*run, error) {
	path, err := c.FindOwnProgram("curl")
	if child, ok := errors.AsType[*process.Error](err); ok {
		const remedy = "install it, or give the token to another program with authctl exec"
		return nil, &process.Error{Code: child.Code, Err: fmt.Errorf("running curl: %w; %s", child.Err, remedy)}
	}
	r := &run{Deps: c.Deps, call: asked, byStdin: runtime.GOOS == "windows"}
	if r.byStdin && asked.readsStdin() {
		return nil, verb.Usagef("on Windows curl's stdin is taken by its configuration; give the body by a file")
	}
	configuration, without := "/dev/fd/3", []string{}
	if r.byStdin {
		configuration = "-"
	}
	if asked.isPlain() {
		// Plain http is for this machine, and not for a proxy to read.
		without = []string{"http_proxy", "all_proxy", "ALL_PROXY"}
	}
	args := append([]string{"curl", "-q", "--config", configuration}, asked.args...)
	r.child = c.Child(path, args, s.Local.ChildEnvironment(s.Profile, nil, without...))
	return r, nil
}

// with runs curl with a token.
func (r *run) with(token formats.Token) error {
	defer r.close()
	if err := r.connect(token); err != nil {
		return fmt.Errorf("making a pipe for curl: %w", err)
	}
	if r.call.has("verbose") {
		// That nobody takes what -v writes is curl's affair, and not this process's end.
		// Unlike an ignored signal, a caught one is not inherited.
		broken := make(chan os.Signal, 1)
		signal.Notify(broken, syscall.SIGPIPE)
		defer signal.Stop(broken)
	}
	r.HasChild.Store(true)
	return process.Run(r.Context(), r.child, func() (after func(<-chan os.Signal) error) {
		r.close()
		return r.finish
	})
}

// finish waits for what -v wrote, which may still be on its way to somebody who is slow.
func (r *run) finish(signals <-chan os.Signal) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.beside.Wait()
	}()
	select {
	case <-done:
		return nil
	case s := <-signals:
		return process.InterruptedBy(s)
	}
}

// connect gives curl its pipes: the configuration, the headers of the reply where they are
// watched, and stderr where -v would show the token.
func (r *run) connect(token formats.Token) error {
	input, err := r.pipe(true, func(to *os.File) { _, _ = io.WriteString(to, r.config(token)) })
	if err != nil {
		return err
	}
	if r.byStdin {
		r.child.Stdin = input
	} else {
		r.child.ExtraFiles = []*os.File{input}
	}
	if r.watch {
		headers, err := r.pipe(false, func(from *os.File) { r.refused.Store(isRefusal(from)) })
		if err != nil {
			return err
		}
		r.child.ExtraFiles = append(r.child.ExtraFiles, headers)
	}
	if r.call.has("verbose") {
		to := &redactor{to: r.child.Stderr, secrets: token.Secrets()}
		r.child.Stderr, err = r.pipe(false, func(from *os.File) {
			if _, err := io.Copy(to, from); err == nil {
				_ = to.Close()
			}
		})
	}
	return err
}

// config is what curl reads from the pipe. What the user's own arguments say comes after
// it, and counts.
func (r *run) config(token formats.Token) string {
	text := token.Curl()
	if !r.call.isPlain() {
		// Before 7.83 curl kept the header on a redirect to http on the same host
		// (CVE-2022-27774).
		text += "proto-redir = \"=https\"\n"
	}
	if r.watch {
		text += "dump-header = \"/dev/fd/4\"\n"
	}
	return text
}

// pipe returns curl's end of a pipe, the one to read from or the one to write to; work has the
// other meanwhile.
func (r *run) pipe(toRead bool, work func(*os.File)) (*os.File, error) {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if toRead {
		ours, theirs = theirs, ours
	}
	r.theirs = append(r.theirs, theirs)
	r.beside.Go(func() {
		defer ours.Close()
		work(ours)
	})
	return theirs, nil
}

// close closes curl's ends of the pipes.
func (r *run) close() {
	for _, file := range r.theirs {
		_ = file.Close()
	}
}

// isRefusal reads the headers of a call to their end and reports whether the service's
// answer was a 401. One that came after a redirect may be another's, and a status before
// it is an interim one (RFC 9110 §15.2) or a proxy's answer to CONNECT.
func isRefusal(headers io.Reader) bool {
	var last string
	redirected := false
	lines := bufio.NewReader(headers)
	for {
		line, err := lines.ReadString('\n')
		if fields := strings.Fields(line); strings.HasPrefix(line, "HTTP/") && len(fields) > 1 {
			last = fields[1]
			redirected = redirected || last[0] == '3'
		}
		if err != nil {
			return last == "401" && !redirected
		}
	}
}
