// Package verb is what the commands share: what they get from the world, their flags, the
// one constructor that makes a command, and the ways in which a command opens a client, ends
// with an error and speaks of scopes. It knows none of the commands.
package verb

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
)

// World is what the program takes from the world.
type World struct {
	// Args are the arguments without the program's name.
	Args []string
	// Streams are stdin, stdout and stderr.
	Streams term.Streams
	// LookupEnv reads the environment.
	LookupEnv func(string) (string, bool)
	// Environ returns the whole environment, as os.Environ does; nil means that nobody
	// looks for misspelled names in it.
	Environ func() []string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Signals returns a context that a signal ends with process.Interrupted as its cause.
	// It is called by commands that leave something to tidy up; without it, as
	// for those that do not, a signal ends the process. Nil means never.
	Signals func(context.Context) context.Context
	// EndBy ends the process as a signal does that was received, or with an exit code
	// where it cannot; typed says that there is a terminal, at which it may have been
	// typed. Nil means that nothing but the exit code tells of a signal.
	EndBy func(i process.Interrupted, typed bool)
}

// Deps is one run of the program, as its commands see it.
type Deps struct {
	World
	UI       *term.UI
	Services []providers.Spec
	Global   Global
	// Version is the program's own.
	Version string
	// Subject is what the command is about, for the error that it may end with.
	Subject Subject
	// HasChild says that signals are a child's, at whose end this process ends.
	HasChild atomic.Bool
	// BeforeEnd is called when the process is about to be ended after a signal.
	BeforeEnd func()
	// Again runs one more command in this process, and returns its exit code.
	Again func(context.Context, World) int

	// ctx is what the command runs under, to tell afterwards why it ended.
	ctx      context.Context //nolint:containedctx // one run of the program is one context
	watching bool
	local    *client.Local
	// warnedOf are the scopes that a warning was given for, and toldOfScopes the one that was
	// last given of scopes a token lacks.
	warnedOf     []string
	toldOfScopes string
	// warnedOfVariables says that misspelled variables were looked for.
	warnedOfVariables bool
}

// Subject names what a command is about.
type Subject struct {
	Profile, Provider string
	// LoginCommand is what a person runs when a login is needed.
	LoginCommand string
	// Names are the settings of the profile.
	Names setting.Names
	// PipelineGrant is what a pipeline does instead of a login, empty where it cannot or
	// this is none.
	PipelineGrant string
}

// New returns a run of the program in ctx.
func New(ctx context.Context, w World, services []providers.Spec, version string) *Deps {
	if w.Now == nil {
		w.Now = time.Now
	}
	d := &Deps{World: w, UI: term.NewUI(w.Streams, w.LookupEnv), Services: services, Version: version, ctx: ctx}
	d.UI.Withhold, d.UI.Prompter.Watch = d.withheld, d.Watched
	return d
}

// Context is what the command runs under.
func (d *Deps) Context() context.Context { return d.ctx }

// Watched returns the context of a command that signals are to end in order.
func (d *Deps) Watched(ctx context.Context) context.Context {
	switch {
	case d.Signals == nil:
		return ctx
	case !d.watching:
		d.ctx, d.watching = d.Signals(ctx), true
		context.AfterFunc(d.ctx, d.endSoon)
	}
	return d.ctx
}

// endSoon ends the process a second after a signal when nothing else does: what is
// waited for may be a file system or a library that nobody can interrupt.
func (d *Deps) endSoon() {
	if interrupted, ok := errors.AsType[process.Interrupted](context.Cause(d.ctx)); ok && d.EndBy != nil {
		time.AfterFunc(process.Grace, func() { d.endNow(interrupted) })
	}
}

func (d *Deps) endNow(i process.Interrupted) {
	if d.HasChild.Load() {
		return
	}
	if d.BeforeEnd != nil {
		d.BeforeEnd()
	}
	d.EndBy(i, d.UI.Terminal())
}

// Service returns the service of a name.
func (d *Deps) Service(name string) (providers.Spec, error) {
	names := []string{}
	for _, s := range d.Services {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return providers.Spec{}, Usagef("%q is not a provider: choose one of %s", name, strings.Join(names, ", "))
}

// IsTrue reports whether a runner or a person has set a variable to true.
func (d *Deps) IsTrue(name string) bool {
	value, _ := d.LookupEnv(name)
	return strings.EqualFold(value, "true")
}

// FindProgram returns the path of a program that the user named; see process.Find.
func (d *Deps) FindProgram(name string) (string, error) {
	path, _ := d.LookupEnv("PATH")
	return process.Find(path, name)
}

// FindOwnProgram returns the path of a program that authctl chooses; see process.FindOwn.
func (d *Deps) FindOwnProgram(name string) (string, error) {
	path, _ := d.LookupEnv("PATH")
	return process.FindOwn(path, name)
}

// Child is a program to run, with this one's own streams.
func (d *Deps) Child(path string, args, environment []string) *exec.Cmd {
	child := exec.Command(path) //nolint:noctx // it ends when it likes
	child.Args, child.Env = args, environment
	child.Stdin, child.Stdout, child.Stderr = d.UI.Raw.In, d.UI.Raw.Out, d.UI.Raw.Err
	return child
}

// SayIfInterrupted tells somebody who ended the questions what became of the answers.
func (d *Deps) SayIfInterrupted(err error, text string) {
	if _, ok := errors.AsType[process.Interrupted](err); ok {
		d.UI.Note(text)
	}
}

// Local reads the environment, once, and warns of variables that are not known. It is never
// nil: where the environment is wrong, it has the defaults.
func (d *Deps) Local() (*client.Local, error) {
	if d.local != nil {
		return d.local, nil
	}
	local, err := client.Read(client.World{
		LookupEnv: d.LookupEnv, Now: d.Now, Services: d.Services, Config: d.Global.Config, NoPipe: d.Completing(),
		Stdin: d.UI.In, StdinIsTerminal: d.UI.InTerminal, Stderr: d.UI.ChildErr(),
		Prompter: hidden{d.UI.Prompter}, MayAsk: d.mayAsk,
		Warn: d.UI.Warn, WarnOnce: d.UI.WarnOnce, CommandFor: d.CommandFor,
	})
	if err == nil {
		d.local = local
	}
	d.warnOfVariables(local)
	return local, err
}

// mayAsk looks for what forbids to ask a person, and reports whether nothing does and there
// is one.
func (d *Deps) mayAsk(env config.Environment) bool {
	by := ""
	switch {
	case d.Global.NoInput:
		by = "--no-input"
	case env.NoInput:
		by = "the variable AUTHCTL_NO_INPUT"
	case config.InCI(d.LookupEnv):
		by = "the variable CI"
	}
	d.UI.Prompter.Off, d.UI.Prompter.OffBy = by != "", by
	return d.UI.Prompter.CanAsk()
}

// hidden asks for secrets on the terminal; see source.Prompter.
type hidden struct{ *term.Prompter }

// Secret asks for what label says and hides what is typed.
func (h hidden) Secret(ctx context.Context, label string) (secret.Secret, error) {
	answer, err := h.Hidden(ctx, label)
	return secret.New(answer), err
}

// warnOfVariables warns, once, of variables that look like ours and are read by nothing:
// a misspelled one must not be taken for one that works. One that the configuration speaks
// of is for a reference or a command there.
func (d *Deps) warnOfVariables(local *client.Local) {
	if d.warnedOfVariables || d.Environ == nil {
		return
	}
	d.warnedOfVariables = true
	unknown := config.UnknownVariables(d.Environ(), d.Services)
	if len(unknown) == 0 {
		return
	}
	file, _ := local.File()
	for _, v := range unknown {
		if file.Mentions(v.Name) {
			continue
		}
		text := "the variable " + v.Name + " is not known and changes nothing"
		if v.Nearest != "" {
			text += "; did you mean " + v.Nearest + "?"
		}
		d.UI.Warn(text)
	}
}

// File reads the configuration.
func (d *Deps) File() (*config.File, error) {
	local, err := d.Local()
	if err != nil {
		return nil, err
	}
	return local.File()
}

// ProfileNames are the names of the profiles, none where the file cannot be read.
func (d *Deps) ProfileNames() []string {
	file, err := d.File()
	if err != nil {
		return nil
	}
	names, _ := file.Names()
	return slices.Clone(names)
}
