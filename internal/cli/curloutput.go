package cli

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// mostHeld is how many bytes of a stream are held back: what is more comes before the
// reply, as the progress of a long upload does.
const mostHeld = 64 << 10

// curlOutput is the output of a curl that does not go where it should by itself: it is
// watched, or a secret has to be left out.
type curlOutput struct {
	// headers are those of the reply, nil when it is not watched.
	headers *os.File
	streams []*curlStream
	// theirs are the child's ends of the pipes.
	theirs []*os.File

	once sync.Once
	// known is closed when it is known what becomes of the output.
	known chan struct{}
	// refused says that the reply was a 401.
	refused bool
}

// curlStream is one stream of it and where it goes.
type curlStream struct {
	from *os.File
	to   io.Writer
	// redactors are to be closed at the end.
	redactors []io.Closer
	// held says that it waits until it is known what becomes of it.
	held bool
	// failed is why it could not be passed on.
	failed error
}

// output puts pipes in the place of the child's stdout and stderr where that is needed,
// and gives a child that is watched one for the reply's headers as descriptor 4. With
// --verbose, stderr is not held: who looks for what is wrong wants to see it as it
// happens.
func (r *curlRun) output(child *exec.Cmd, token printed, all *pipes) (*curlOutput, error) {
	o := &curlOutput{known: make(chan struct{})}
	verbose := r.call.has("verbose")
	if r.watch {
		headers, writer, err := all.open()
		if err != nil {
			return nil, err
		}
		o.headers, o.theirs = headers, []*os.File{writer}
		child.ExtraFiles = append(child.ExtraFiles, writer)
		if err := o.stream(&child.Stdout, true, nil, all); err != nil {
			return nil, err
		}
	}
	if !r.watch && !verbose {
		return o, nil
	}
	var secrets []string
	if verbose {
		secrets = token.secrets()
	}
	return o, o.stream(&child.Stderr, !verbose, secrets, all)
}

// stream puts a pipe in the place of a stream.
func (o *curlOutput) stream(stream *io.Writer, held bool, secrets []string, all *pipes) error {
	reader, writer, err := all.open()
	if err != nil {
		return err
	}
	s := &curlStream{from: reader, to: *stream, held: held}
	for _, secret := range secrets {
		shown := &redactor{to: s.to, secret: secret}
		s.to, s.redactors = shown, append(s.redactors, shown)
	}
	slices.Reverse(s.redactors) // each is closed before the one that it writes to
	o.streams, o.theirs = append(o.streams, s), append(o.theirs, writer)
	*stream = writer
	return nil
}

// pass waits for the reply's status and then lets the output through, or drops that of a
// 401. It returns when the child has closed its ends.
func (o *curlOutput) pass() {
	for _, file := range o.theirs {
		_ = file.Close()
	}
	var done sync.WaitGroup
	if o.headers != nil {
		done.Go(func() {
			headers := bufio.NewReader(o.headers)
			o.decide(firstStatus(headers) == "401")
			_, _ = io.Copy(io.Discard, headers)
		})
	}
	for _, s := range o.streams {
		done.Go(func() { o.forward(s) })
	}
	done.Wait()
}

// decide says what becomes of the output. The first word counts.
func (o *curlOutput) decide(refused bool) {
	o.once.Do(func() {
		o.refused = refused
		for _, s := range o.streams {
			if s.held {
				// Who is waiting for more is to look again.
				_ = s.from.SetReadDeadline(time.Now())
			}
		}
		close(o.known)
	})
}

func (o *curlOutput) forward(s *curlStream) {
	// Where nobody takes the output, curl is to notice.
	defer s.from.Close()
	if s.held {
		early := o.early(s.from)
		if o.refused {
			s.to = io.Discard
		}
		if len(early) > 0 {
			_, s.failed = s.to.Write(early)
		}
		if s.failed != nil {
			return
		}
	}
	if _, s.failed = io.Copy(s.to, s.from); s.failed != nil {
		return
	}
	for _, r := range s.redactors {
		_ = r.Close()
	}
}

// early returns what comes before it is known what becomes of it. When that is too much,
// the output is let through, and a 401 will not be repeated.
func (o *curlOutput) early(from *os.File) []byte {
	text, _ := io.ReadAll(io.LimitReader(from, mostHeld+1))
	if len(text) > mostHeld {
		o.decide(false)
	}
	<-o.known
	_ = from.SetReadDeadline(time.Time{})
	return text
}

// firstStatus returns the status of the first reply that is not interim (RFC 9110 §15.2),
// empty when none came. A 401 that came after a redirect is not the first.
func firstStatus(headers *bufio.Reader) string {
	for {
		line, err := headers.ReadString('\n')
		if fields := strings.Fields(line); strings.HasPrefix(line, "HTTP/") && len(fields) > 1 && fields[1][0] != '1' {
			return fields[1]
		}
		if err != nil {
			return ""
		}
	}
}
