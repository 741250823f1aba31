package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
)

// Fetcher is what references are fetched with. The zero value knows env:, file: and cmd:
// only. It is for any number of goroutines and remembers that standard input is spent.
type Fetcher struct {
	// Env is where variables are.
	Env files.Environ
	// Stdin is what "stdin" reads; nil means that there is none.
	Stdin io.Reader
	// StdinIsTerminal makes "stdin" an error: typed secrets are for "prompt",
	// which hides them.
	StdinIsTerminal bool
	// Stderr receives what commands say beside their answer; nil drops it.
	Stderr io.Writer
	// Interactive says that a person is there. Commands then stay in the
	// terminal's foreground process group, so that they can ask for a password;
	// otherwise each gets a group of its own and is ended with all its children.
	Interactive bool
	// Watch is called before a command is run, and returns the context for that: one that a signal
	// ends. Nil leaves the context as it is.
	Watch func(context.Context) context.Context
	// Environment returns the environment of commands, in which secrets are left out
	// but for the variables to keep; nil gives them all that this process has.
	Environment func(keep []string) []string
	// Keyring reads "keyring:NAME", nil when there is none.
	Keyring Keyring
	// Prompter asks for "prompt", nil when nobody can be asked.
	Prompter Prompter
	// Tokens give what references of TokenKinds name, by kind; a kind that is not there cannot be
	// had here.
	Tokens map[string]Tokens
	// Now is the clock, nil for time.Now.
	Now func() time.Time
	// Fetched is told of each secret that was fetched; nil means nobody is.
	Fetched func(secret.Secret)
	// Trust says which files are believed, and hears what is odd about a secret.
	Trust files.Trust

	stdinSpent atomic.Bool
}

// Keyring gives the secrets that a person has put into the OS keyring.
type Keyring interface {
	// Secret returns the secret stored under name.
	Secret(ctx context.Context, name string) (secret.Secret, error)
}

// Prompter asks a person for a secret and hides what is typed.
type Prompter interface {
	// Secret asks for what label says ("client_secret of profile calls").
	Secret(ctx context.Context, label string) (secret.Secret, error)
}

// Tokens gives the tokens of somebody else.
type Tokens struct {
	// Get gets one. Its errors are whole, and pass as they are.
	Get func(ctx context.Context, n Need) (secret.Secret, error)
	// Look tells, without asking anybody, what Get would do: a note as in Inspection, or why it
	// cannot.
	Look func(n Need) (note string, err error)
}

// tokenKept is how long a token of somebody else is remembered. A process may live longer than
// such a token: GitHub's is good for five minutes, and Kubernetes writes another into its file
// (https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/).
const tokenKept = time.Minute

// maxSecret bounds a secret in bytes; a private key has some 3,000.
const maxSecret = 1 << 20

// Bind returns what fetches a secret, once; a token of somebody else once a minute, unless a
// person gives it. Its errors are *setting.Error, and those of Tokens.
func (f *Fetcher) Bind(n Need) secret.Func {
	return once(f.kept(n), f.told(func(ctx context.Context) (secret.Secret, error) {
		if n.IsToken() {
			return f.token(ctx, n)
		}
		value, err := f.fetch(ctx, n)
		if err == nil {
			value = f.tidy(n.label()+" from "+n.String(), value)
		}
		if err == nil && strings.TrimSpace(value.Reveal()) == "" {
			err = errEmpty
		}
		if err != nil {
			return secret.Secret{}, n.Failed(err)
		}
		return value, nil
	}))
}

// told returns fetch with Fetched told of what it gets.
func (f *Fetcher) told(fetch secret.Func) secret.Func {
	return func(ctx context.Context) (secret.Secret, error) {
		value, err := fetch(ctx)
		if err == nil && f.Fetched != nil {
			f.Fetched(value)
		}
		return value, err
	}
}

// token gets a token of somebody else.
func (f *Fetcher) token(ctx context.Context, n Need) (secret.Secret, error) {
	if tokens, ok := f.Tokens[n.Kind]; ok {
		return tokens.Get(ctx, n)
	}
	return secret.Secret{}, n.Failed(wrong("it cannot be had here", "", nil))
}

// kept returns how what was fetched is remembered: until when it returns false.
func (f *Fetcher) kept(n Need) func() bool {
	if !n.Token || n.Asks() {
		return func() bool { return true }
	}
	now := f.Now
	if now == nil {
		now = time.Now
	}
	var until time.Time
	return func() bool {
		at := now()
		good := at.Before(until)
		if !good {
			until = at.Add(tokenKept)
		}
		return good
	}
}

// Given returns what fetches a secret that a variable holds by value. It is not ok when
// that is nothing but blanks, which nobody means.
func (f *Fetcher) Given(variable, value string) (fetch secret.Func, ok bool) {
	return once(func() bool { return true }, f.told(func(context.Context) (secret.Secret, error) {
		return f.tidy(variable, secret.New(value)), nil
	})), strings.TrimSpace(files.TidySecret(value)) != ""
}

// tidy drops what a paste or an editor has put around a secret and nobody means, and
// warns of what may be meant and hardly is. What names the secret for people.
func (f *Fetcher) tidy(what string, value secret.Secret) secret.Secret {
	text := files.TidySecret(value.Reveal())
	if odd := files.OddSecret(text); odd != "" && f.Trust.Warn != nil {
		f.Trust.Warn(what + " " + odd + ", which is taken for a part of it; remove that where it is not meant")
	}
	return secret.New(text)
}

func (f *Fetcher) fetch(ctx context.Context, n Need) (secret.Secret, error) {
	switch {
	case n.Kind == "env":
		return f.variable(n)
	case n.Kind == "file":
		return f.file(ctx, n.Reference)
	case n.Kind == "cmd":
		return f.command(ctx, n)
	case n.Kind == "stdin":
		return f.stdin(ctx)
	case n.Kind == "keyring" && f.Keyring != nil:
		return f.Keyring.Secret(ctx, n.Arg)
	case n.Kind == "prompt" && f.Prompter != nil:
		return f.Prompter.Secret(ctx, n.label())
	case n.Kind == "prompt":
		return secret.Secret{}, wrong("nobody can be asked here", "", nil)
	}
	return secret.Secret{}, wrong("there is no keyring here", "", nil)
}

// Taken is the variable that `authctl exec` leaves for an authctl inside: the names of the
// variables with secrets that it took out of the environment.
const Taken = "AUTHCTL_EXEC_TOOK"

// Absent says why a variable has no value, and what to do: no why when there is nothing to
// say but that it is not set.
func Absent(env files.Environ, name string) (why, remedy string) {
	switch {
	case env.Has(name):
		return "is set but empty", "give " + files.Short(name) + " its value: in a pipeline, see that the job may read it"
	case slices.Contains(strings.Fields(env.Get(Taken)), name):
		return "was taken out of the environment by the authctl exec that this runs under",
			"keep it there: authctl exec --keep-env " + files.Short(name) + " …"
	}
	return "", "set " + files.Short(name)
}

// gitLab says how a job of GitLab gets an identity token
// (https://docs.gitlab.com/ci/secrets/id_token_authentication/).
func gitLab(variable string) string {
	return "id_tokens: {" + files.Short(variable) + ": {aud: AUDIENCE}} in .gitlab-ci.yml"
}

func (f *Fetcher) variable(n Need) (secret.Secret, error) {
	name := n.Arg
	value := f.Env.Raw(name)
	if value == "" {
		why, remedy := Absent(f.Env, name)
		if f.Env.Get("GITLAB_CI") != "" && why == "" && n.Token {
			remedy = "have the job get one: " + gitLab(name)
		}
		return secret.Secret{}, wrong("the variable "+cmp.Or(why, "is not set"), remedy, nil)
	}
	return secret.New(value), nil
}

// stdin reads all of it, for one reference in the life of the process.
func (f *Fetcher) stdin(ctx context.Context) (secret.Secret, error) {
	switch {
	case f.Stdin == nil:
		return secret.Secret{}, wrong("there is no standard input", "", nil)
	case f.StdinIsTerminal:
		return secret.Secret{}, wrong("standard input is a terminal", "use prompt, which hides what is typed", nil)
	case !f.stdinSpent.CompareAndSwap(false, true):
		return secret.Secret{}, wrong("standard input has been read already", "only one secret can come from stdin", nil)
	}
	text, err := files.Await(ctx, func() ([]byte, error) { return files.ReadLimited(f.Stdin, 0, maxSecret) })
	return secretOf(text, unread(ctx, "standard input", err))
}

func (f *Fetcher) file(ctx context.Context, r Reference) (secret.Secret, error) {
	path, err := f.path(r)
	if err != nil {
		return secret.Secret{}, err
	}
	text, err := files.Read(ctx, path, f.rule())
	return secretOf(text, ofFile(unread(ctx, "the file", err)))
}

// rule is the one for a file with a secret: a regular file or a pipe. One that others may
// write is refused: they could have the token issued to a client of theirs.
func (f *Fetcher) rule() files.Rule {
	return files.Rule{Trust: f.Trust, Limit: maxSecret, Pipe: true, Secret: true}
}

// path returns where the file of a reference is.
func (f *Fetcher) path(r Reference) (string, error) {
	path, err := files.Place(r.Arg, f.Env.Home(), r.Dir)
	if err != nil {
		return "", wrong("the path "+err.Error(), "", err)
	}
	return path, nil
}

// secretOf takes what a file, a command or a pipe holds for a secret.
func secretOf(raw []byte, err error) (secret.Secret, error) {
	if err != nil {
		return secret.Secret{}, err
	}
	text, err := files.Text(raw)
	return secret.New(string(text)), err
}

// unread is the error of what was read until ctx ended, another one as it is.
func unread(ctx context.Context, what string, err error) error {
	cause := context.Cause(ctx)
	if cause == nil || !errors.Is(err, cause) {
		return err
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		return wrong("reading "+what+": it did not end in time",
			"see who writes to it, and that it ends; or raise --timeout", cause)
	}
	return wrong("reading "+what+": "+cause.Error(), "", cause)
}

// once makes fetch run one time, for any number of callers, and again when what it fetched is not
// kept any more. An end of the caller's context is not remembered.
func once(kept func() bool, fetch secret.Func) secret.Func {
	turn := make(chan struct{}, 1)
	var (
		done  bool
		value secret.Secret
		err   error
	)
	return func(ctx context.Context) (secret.Secret, error) {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return secret.Secret{}, context.Cause(ctx)
		}
		defer func() { <-turn }()
		if kept() && done {
			return value, err
		}
		done = false
		s, e := fetch(ctx)
		if e != nil && ctx.Err() != nil {
			return s, e
		}
		value, err, done = s, e, true
		return value, err
	}
}
