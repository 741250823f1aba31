package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
)

// personTimeout is how long the keyring's own unlock prompt may stay open where a
// person can see it.
const personTimeout = time.Minute

// setup is what the environment and the flags say before a profile is chosen.
type setup struct {
	app     *app
	env     config.Environment
	options config.Options
	keyring *store.Keyring
	// lost is why the keyring cannot be used and the store auto keeps nothing, nil
	// while it can.
	lost error
	// unopened is how many tokens are stored here that cannot be opened.
	unopened int
	// known is how many of them are told of anyway.
	known int
}

// setup reads the environment and prepares how secrets are fetched.
func (a *app) setup() (*setup, error) {
	keyring, u := &store.Keyring{Warn: a.warn}, &setup{app: a}
	fetcher := &source.Fetcher{
		Env:         a.LookupEnv,
		Environment: u.commandEnvironment,
		Stdin:       a.Streams.In, StdinIsTerminal: a.Streams.InTerminal, Stderr: a.childErr(),
		Keyring: keyring, Prompter: hidden{a.prompter}, Trust: a.trust(),
	}
	u.options = config.Options{
		Path: a.flags.config, Services: a.services, Fetcher: fetcher,
		NoPipe: a.completing(),
	}
	env, err := config.ReadEnvironment(fetcher)
	if err != nil {
		u.warnOfVariables()
		return nil, err
	}
	a.prompter.OffBy = a.askingForbidden(env)
	a.prompter.Off = a.prompter.OffBy != ""
	fetcher.Interactive = a.Streams.Interactive() && !a.prompter.Off
	u.env = env
	keyring.FileLocks, keyring.StateDir = u.locks(), files.Environ(a.LookupEnv).StateDir()
	if fetcher.Interactive && a.graphical() {
		keyring.Timeout = personTimeout
	}
	u.keyring = keyring
	u.options.Timeout = cmp.Or(env.Timeout, defaultTimeout)
	u.warnOfVariables()
	return u, nil
}

// askingForbidden returns what forbids to ask a person, empty when nothing does.
func (a *app) askingForbidden(env config.Environment) string {
	switch {
	case a.flags.noInput:
		return "--no-input"
	case env.NoInput:
		return "the variable AUTHCTL_NO_INPUT"
	case config.InCI(a.LookupEnv):
		return "the variable CI"
	}
	return ""
}

// warnOfVariables warns, once, of variables that look like ours and are read by nothing:
// a misspelled one must not be taken for one that works. One that the configuration speaks
// of is for a reference or a command there.
func (u *setup) warnOfVariables() {
	a := u.app
	if a.warnedOfVariables || a.Environ == nil {
		return
	}
	a.warnedOfVariables = true
	unknown := config.UnknownVariables(a.Environ(), a.services)
	if len(unknown) == 0 {
		return
	}
	file, _ := u.load()
	for _, v := range unknown {
		if file.Mentions(v.Name) {
			continue
		}
		text := "the variable " + v.Name + " is not known and changes nothing"
		if v.Nearest != "" {
			text += "; did you mean " + v.Nearest + "?"
		}
		a.warn(text)
	}
}

// load reads the configuration, once: it may be a pipe.
func (u *setup) load() (*config.File, error) {
	if u.app.loaded == nil {
		file, err := config.Load(u.options)
		if missing, ok := errors.AsType[*config.Error](err); ok && errors.Is(err, fs.ErrNotExist) {
			missing.Suggestion = "create it with: " + u.app.commandFor("NAME", "profile", "add")
		}
		if err != nil {
			return nil, err
		}
		u.app.loaded = file
	}
	return u.app.loaded, nil
}

// trust says whose files are believed. In a pipeline nobody else is on the machine, and its
// runner may work with umask 0: what is loose there is told, once for each file.
func (a *app) trust() files.Trust {
	return files.Trust{Lenient: config.InCI(a.LookupEnv), Home: files.Environ(a.LookupEnv).Home(), Warn: a.warnOnce}
}

// warnOnce warns of what may be met many times in a run, also by secrets that are fetched
// at the same time.
func (a *app) warnOnce(text string) {
	if _, told := a.warned.LoadOrStore(text, true); !told {
		a.warn(text)
	}
}

// locks are the file locks of every store.
func (u *setup) locks() store.FileLocks {
	locks := store.FileLocks{Dir: u.env.RuntimeDir, Trust: u.app.trust()}
	if state := files.Environ(u.app.LookupEnv).StateDir(); state != "" {
		locks.Fallback = filepath.Join(state, "run")
	}
	return locks
}

// store returns the store that the flag, else the environment, names. A store that
// was named is never replaced by another; auto means the keyring where it works.
func (u *setup) store(flag string) (store.Store, error) {
	name := flag
	if name == "" {
		name = u.env.Store
	}
	switch name {
	case "", "auto":
		return &store.Auto{Primary: u.keyring, Fallback: &store.Memory{}, Warn: u.fellBack}, nil
	case "keyring":
		return u.keyring, nil
	case "memory":
		return &store.Memory{}, nil
	case "file":
		dir := u.env.StoreDir
		if state := files.Environ(u.app.LookupEnv).StateDir(); dir == "" && state != "" {
			dir = filepath.Join(state, "tokens")
		}
		if dir == "" {
			return nil, &config.Error{
				Key: "AUTHCTL_STORE_DIR", Problem: "is not set, and there is no home directory",
				Suggestion: "set it to a directory of yours",
			}
		}
		return &store.File{FileLocks: u.locks(), Dir: dir, Key: u.env.StoreKey, Unopened: u.tellOfUnopened}, nil
	}
	return nil, usagef("--store %q is not one of auto, keyring, file, memory", name)
}

// fellBack is the one warning of the store auto.
func (u *setup) fellBack(err error) {
	u.lost = err
	u.app.warn("the keyring cannot be used, so no token is kept between calls: " + err.Error() +
		"; use --store file with AUTHCTL_STORE_KEY_FILE, or --store memory to be quiet")
}

// tellOfUnopened warns of tokens that are there and in no listing.
func (u *setup) tellOfUnopened(number int, why string) {
	u.unopened = number
	if number -= u.known; number == 0 {
		return
	}
	text := "a token that is stored here cannot be opened: " + why
	if number > 1 {
		text = fmt.Sprintf("%d tokens that are stored here cannot be opened: %s", number, why)
	}
	u.app.warnOnce(text + "; AUTHCTL_STORE_KEY_FILE or its twins have to give the key that it was stored with")
}

// quietStore returns the store that the environment names, without a word where auto
// goes without the keyring: for what only looks at tokens that may be there.
func (u *setup) quietStore() (store.Store, error) {
	chosen, err := u.store("")
	if auto, ok := chosen.(*store.Auto); ok {
		auto.Warn = nil
	}
	return chosen, err
}

// listed returns what a store holds. A keyring that is there and does not let us in may
// hold anything: that is not an empty list.
func (u *setup) listed(ctx context.Context, kept store.Store) ([]store.Entry, error) {
	entries, err := kept.List(ctx)
	if err != nil {
		return nil, err
	}
	if unusable, ok := errors.AsType[*store.UnusableError](u.lost); ok && unusable.Problem != store.Unreachable {
		return nil, unusable
	}
	return entries, nil
}

// graphical reports whether there is a desktop that a keyring can prompt on.
func (a *app) graphical() bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return true
	}
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY"} {
		if value, _ := a.LookupEnv(name); value != "" {
			return true
		}
	}
	return false
}

// hidden asks for secrets on the terminal; see source.Prompter.
type hidden struct{ *term.Prompter }

// Secret asks for what label says and hides what is typed.
func (h hidden) Secret(ctx context.Context, label string) (secret.Secret, error) {
	answer, err := h.Hidden(ctx, label)
	return secret.New(answer), err
}
