package client

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
)

const (
	// defaultTimeout bounds a call that says nothing else.
	defaultTimeout = 30 * time.Second
	// personTimeout is how long the keyring's own unlock prompt may stay open where a person
	// can see it.
	personTimeout = time.Minute
)

// World is what clients take from outside.
type World struct {
	// LookupEnv reads the environment.
	LookupEnv files.Environ
	// Now is the clock.
	Now func() time.Time
	// Services are those that a profile may be of.
	Services providers.Services
	// Config is the path of the configuration, empty for the usual one; a pipe is not read
	// where NoPipe is set.
	Config string
	NoPipe bool
	// Stdin is what the reference stdin reads, and Stderr where commands that fetch secrets
	// write.
	Stdin           io.Reader
	StdinIsTerminal bool
	Stderr          io.Writer
	// Prompter asks for secrets, and MayAsk reports whether there is somebody to be asked,
	// once the environment is known.
	Prompter source.Prompter
	MayAsk   func(config.Environment) bool
	// Watch returns the context for commands that fetch secrets, as source.Fetcher's does.
	Watch func(context.Context) context.Context
	// Fetched is told of each secret that was fetched; nil means nobody is.
	Fetched func(secret.Secret)
	// Warn tells a person, and WarnOnce what may come up many times.
	Warn, WarnOnce func(text string)
	// CommandFor is the command line that a hint suggests for a profile.
	CommandFor func(profile string, words ...string) string
}

// Local is what this machine has for clients: the environment, the configuration, the
// stores.
type Local struct {
	World
	// Env is what the environment says of all profiles.
	Env config.Environment
	// Keyring is the system's.
	Keyring *store.Keyring
	// Unopened is how many tokens a listing has found that cannot be opened, and Known how
	// many of them are told of anyway.
	Unopened, Known int

	options config.Options
	tokens  *tokens
	// hear is told what the stores decide, nil when nobody is.
	hear    func(message string)
	engines engines
	// authorities are what the files of --ca-file hold.
	authorities authorities
	// loaded is the configuration, nil until something needs it.
	loaded *config.File
}

// Read reads the environment and prepares how secrets are fetched. Where the environment is
// wrong, what it returns beside the error can still load the configuration.
func Read(w World) (*Local, error) {
	l := &Local{World: w}
	keyring := &store.Keyring{Warn: w.Warn, Explain: l.tell}
	fetcher := &source.Fetcher{
		Env: w.LookupEnv, Environment: l.commandEnvironment,
		Stdin: w.Stdin, StdinIsTerminal: w.StdinIsTerminal, Stderr: w.Stderr,
		Keyring: keyring, Prompter: w.Prompter, Watch: w.Watch, Trust: l.Trust(), Now: w.Now, Fetched: w.Fetched,
	}
	l.tokens = &tokens{local: l}
	fetcher.Tokens = l.tokens.sources()
	l.options = config.Options{Path: w.Config, Services: w.Services, Fetcher: fetcher, NoPipe: w.NoPipe}
	env, err := config.ReadEnvironment(fetcher)
	if err != nil {
		return l, err
	}
	l.Env = env
	fetcher.Interactive = w.MayAsk(env)
	// Its own prompt is one too.
	keyring.NeverAsk = !fetcher.Interactive
	keyring.FileLocks, keyring.StateDir = l.Locks(), w.LookupEnv.StateDir()
	if fetcher.Interactive && l.graphical() {
		keyring.Timeout = personTimeout
	}
	l.Keyring = keyring
	l.options.Timeout = l.Timeout(nil)
	return l, nil
}

// tell explains what a store does, to whoever hears of it by now.
func (l *Local) tell(message string) {
	if l.hear != nil {
		l.hear(message)
	}
}

// File reads the configuration, once: it may be a pipe.
func (l *Local) File() (*config.File, error) {
	if l.loaded != nil {
		return l.loaded, nil
	}
	file, err := config.Load(l.options)
	if missing, ok := errors.AsType[*setting.Error](err); ok && errors.Is(err, fs.ErrNotExist) {
		missing.Help = "create it with: " + l.CommandFor("NAME", "profile", "add")
	}
	if err != nil {
		return nil, err
	}
	l.loaded = file
	return file, nil
}

// Located returns where the configuration is, and whether a flag or a variable says so.
func (l *Local) Located() (path string, named bool) {
	path, named, _ = l.options.Locate()
	return path, named
}

// Close ends what is open beyond this machine. What is asked later opens it again.
func (l *Local) Close() { l.engines.close() }

// MayBeNew has a configuration that is not there be an empty one, to be written.
func (l *Local) MayBeNew() { l.options.New = true }

// Fetcher fetches the secrets that references name.
func (l *Local) Fetcher() *source.Fetcher { return l.options.Fetcher }

// Pick returns a profile of the configuration, the default one for an empty name, with what
// flags say on top. It is the caller's own, to be changed before it is opened.
func (l *Local) Pick(name string, flags map[string]setting.Value, timeout *time.Duration) (*config.Profile, error) {
	l.options.Timeout = l.Timeout(timeout)
	file, err := l.File()
	if err != nil {
		return nil, err
	}
	return file.Profile(name, flags)
}

// Timeout is how long a call may take: what its flag says, else the environment, else the
// default.
func (l *Local) Timeout(flag *time.Duration) time.Duration {
	if flag != nil {
		return *flag
	}
	return cmp.Or(l.Env.Timeout, defaultTimeout)
}

// Change has a function edit the configuration file, or the file that a profile is in where one is
// named, under its lock: of many processes that do so at once each reads what the one before has
// written, also where the file was read before the lock was had.
func (l *Local) Change(ctx context.Context, profile string, change func(*config.File) error) error {
	file, err := l.File()
	if err != nil {
		return err
	}
	path := file.Path
	if profile != "" {
		at, _, err := file.Where(profile)
		if err != nil {
			return err
		}
		path = cmp.Or(at, path)
	}
	ctx, cancel := context.WithTimeout(ctx, l.Timeout(nil))
	defer cancel()
	lock, err := l.Locks().LockFile(ctx, path)
	unusable, ok := errors.AsType[*store.LockError](err)
	switch {
	case err == nil:
		defer func() { _ = lock.Unlock() }()
	case !ok || unusable.Busy:
		return err
	default:
		l.Warn("changes of " + path + " at the same time are not kept apart: " + err.Error())
	}
	// A pipe has been read, and cannot be changed.
	again := l.options
	again.New, again.NoPipe = true, true
	if file, err = config.Load(again); err != nil {
		return err
	}
	return change(file)
}

// Trust says whose files are believed. In a pipeline nobody else is on the machine, and its
// runner may work with umask 0: what is loose there is told, once for each file.
func (l *Local) Trust() files.Trust {
	return files.Trust{Lenient: config.InCI(l.LookupEnv), Home: l.LookupEnv.Home(), Warn: l.WarnOnce}
}

// graphical reports whether there is a desktop that a keyring can prompt on.
func (l *Local) graphical() bool {
	return runtime.GOOS == "windows" || runtime.GOOS == "darwin" ||
		l.LookupEnv.Raw("DISPLAY") != "" || l.LookupEnv.Raw("WAYLAND_DISPLAY") != ""
}

// commandEnvironment is what the commands of cmd: references and that of the store's key
// get: no secret of any profile, other than those to keep.
func (l *Local) commandEnvironment(keep []string) []string {
	// Where the file cannot be read, that is for whoever needs it to say.
	file, _ := l.File()
	return process.Without(leftOut(file.SecretVariables(l.Services.All()), keep))
}

// ChildEnvironment returns this process's environment without the values of secrets, other
// than those to keep: a child is given a token, and not what tokens are got with. more are
// further variables to leave out.
//
// The child is told the names of those that were there: an authctl in it can say why it
// lacks a secret.
func (l *Local) ChildEnvironment(p *config.Profile, keep []string, more ...string) []string {
	secret := leftOut(config.SecretVariables(l.Services.All(), p), keep)
	taken := strings.Fields(l.LookupEnv.Raw(source.Taken))
	for _, name := range secret {
		if l.LookupEnv.Raw(name) != "" {
			taken = append(taken, name)
		}
	}
	environment := process.Without(slices.Concat(secret, more, []string{source.Taken}))
	if len(taken) == 0 {
		return environment
	}
	slices.Sort(taken)
	return append(environment, source.Taken+"="+strings.Join(slices.Compact(taken), " "))
}

// leftOut are the secret variables that are not to be kept.
func leftOut(secret, keep []string) []string { return slices.DeleteFunc(secret, process.Named(keep)) }
