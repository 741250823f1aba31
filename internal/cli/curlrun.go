package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/process"
)

// curlRun is one run of curl. Its stdin, stdout and stderr are the user's own, but for
// what -v writes.
type curlRun struct {
	app         *app
	path        string
	environment []string
	call        *curlCall
	// byStdin says that curl's configuration takes its stdin.
	byStdin bool
	// watch says that curl writes the reply's headers to a pipe too, to see a 401 in them.
	watch bool
	// refused says that the reply was a 401.
	refused atomic.Bool

	// theirs are curl's ends of the pipes, and beside what works on the others meanwhile.
	theirs []*os.File
	beside []func()
}

// newCurlRun finds curl and prepares what does not depend on the token.
func (a *app) newCurlRun(s *client.Client, call *curlCall) (*curlRun, error) {
	path, err := a.FindOwnProgram("curl")
	if child, ok := errors.AsType[*process.Error](err); ok {
		const remedy = "install it, or give the token to another program with authctl exec"
		return nil, &process.Error{Code: child.Code, Err: fmt.Errorf("running curl: %w; %s", child.Err, remedy)}
	}
	r := &curlRun{app: a, path: path, call: call, byStdin: runtime.GOOS == "windows"}
	if r.byStdin && call.readsStdin() {
		return nil, verb.Usagef("on Windows curl's stdin is taken by its configuration; give the body by a file")
	}
	r.environment = s.Local.ChildEnvironment(s.Profile, nil)
	if call.isPlain() {
		// Plain http is for this machine, and not for a proxy to read.
		r.environment = s.Local.ChildEnvironment(s.Profile, nil, "http_proxy", "all_proxy", "ALL_PROXY")
	}
	return r, nil
}

// with runs curl with a token.
func (r *curlRun) with(token formats.Token) error {
	child, err := r.command(token)
	defer r.close()
	if err != nil {
		return fmt.Errorf("making a pipe for curl: %w", err)
	}
	if r.call.has("verbose") {
		// That nobody takes what -v writes is curl's affair, and not this process's end.
		// Unlike an ignored signal, a caught one is not inherited.
		broken := make(chan os.Signal, 1)
		signal.Notify(broken, syscall.SIGPIPE)
		defer signal.Stop(broken)
	}
	r.app.HasChild.Store(true)
	return process.Run(r.app.Context(), child, func() (after func(<-chan os.Signal) error) {
		r.close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			var all sync.WaitGroup
			for _, work := range r.beside {
				all.Go(work)
			}
			all.Wait()
		}()
		return func(signals <-chan os.Signal) error {
			// What -v wrote may still be on its way to somebody who is slow.
			select {
			case <-done:
				return nil
			case s := <-signals:
				return process.InterruptedBy(s)
			}
		}
	})
}

// command is curl with its configuration on the descriptor 3, so that stdin stays the
// user's. -q comes first: a curlrc could send the token elsewhere.
func (r *curlRun) command(token formats.Token) (*exec.Cmd, error) {
	from := "/dev/fd/3"
	if r.byStdin {
		from = "-"
	}
	child := exec.Command(r.path) //nolint:noctx // it ends when it likes
	child.Args = append([]string{"curl", "-q", "--config", from}, r.call.args...)
	child.Env = r.environment
	child.Stdin, child.Stdout, child.Stderr = r.app.UI.Raw.In, r.app.UI.Raw.Out, r.app.UI.Raw.Err
	input, err := r.input(r.config(token))
	if err != nil {
		return nil, err
	}
	if r.byStdin {
		child.Stdin = input
	} else {
		child.ExtraFiles = []*os.File{input}
	}
	if r.watch {
		headers, err := r.output(func(from io.Reader) { r.refused.Store(isRefusal(from)) })
		if err != nil {
			return nil, err
		}
		child.ExtraFiles = append(child.ExtraFiles, headers)
	}
	if r.call.has("verbose") {
		to := child.Stderr
		child.Stderr, err = r.output(func(from io.Reader) { redact(to, from, token.Secrets()) })
	}
	return child, err
}

// config is what curl reads from the pipe. What the user's own arguments say comes after
// it, and counts.
func (r *curlRun) config(token formats.Token) string {
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

// input returns a pipe's end that curl reads text from.
func (r *curlRun) input(text string) (*os.File, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	r.theirs = append(r.theirs, reader)
	r.beside = append(r.beside, func() {
		defer writer.Close()
		_, _ = io.WriteString(writer, text)
	})
	return reader, nil
}

// output returns a pipe's end that curl writes to, for take to read from the other.
func (r *curlRun) output(take func(io.Reader)) (*os.File, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	r.theirs = append(r.theirs, writer)
	r.beside = append(r.beside, func() {
		defer reader.Close()
		take(reader)
	})
	return writer, nil
}

// close closes curl's ends of the pipes.
func (r *curlRun) close() {
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

// redact copies a stream without secrets.
func redact(to io.Writer, from io.Reader, secrets []string) {
	var redactors []*redactor
	for _, secret := range secrets {
		r := &redactor{to: to, secret: secret}
		to, redactors = r, append(redactors, r)
	}
	if _, err := io.Copy(to, from); err != nil {
		return
	}
	for _, r := range slices.Backward(redactors) { // each is closed before the one that it writes to
		_ = r.Close()
	}
}
