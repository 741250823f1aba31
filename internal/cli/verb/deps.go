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
	"sync"
	"time"

	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/har"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
)

// Deps is one run of the program, as its commands see it.
type Deps struct {
	World
	Lifetime
	ScopeNotes
	UI *term.UI
	// Services makes the services when they are needed, once: their text costs a start.
	Services func() []providers.Spec
	// byName makes one.
	byName providers.Services
	Global Global
	// Version is the program's own.
	Version string
	// Subject is what the command is about, for the error that it may end with.
	Subject Subject
	// Again runs one more command in this process, and returns its exit code.
	Again func(context.Context, World) int

	local *client.Local
	// recorder records requests, nil without --trace.
	recorder *har.Recorder
	// failed says that the command has ended with an error.
	failed bool
	// warnedOfVariables says that misspelled variables were looked for.
	warnedOfVariables bool
}

// Subject names what a command is about.
type Subject struct {
	Profile, Provider string
	// LoginCommand is what a person runs when a login is needed.
	LoginCommand string
	// RenewCommand gets a new token for what is stored.
	RenewCommand string
	// Names are the settings of the profile, made when a hint wants them; nil before there is one.
	Names func() setting.Names
	// PipelineGrant is what a pipeline does instead of a login, empty where it cannot or
	// this is none.
	PipelineGrant string
}

// InNames returns a hint with the settings of the profile named in it; see setting.Names.In.
func (s Subject) InNames(hint string) string {
	if s.Names == nil {
		return setting.Names{}.In(hint)
	}
	return s.Names().In(hint)
}

// New returns a run of the program in ctx.
func New(ctx context.Context, w World, services providers.Services, version string) *Deps {
	if w.Now == nil {
		w.Now = time.Now
	}
	d := &Deps{
		World: w, UI: term.NewUI(w.Streams, w.LookupEnv), Version: version,
		Services: sync.OnceValue(services.All), byName: services,
	}
	d.Lifetime = Lifetime{signals: w.Signals, endBy: w.EndBy, terminal: w.Streams.Terminal(), ctx: ctx}
	d.ScopeNotes = ScopeNotes{ui: d.UI, services: d.Services, commandFor: d.CommandFor}
	d.UI.Withhold, d.UI.Prompter.Watch = w.withheld, d.Watched
	return d
}

// Close ends what the run has open beyond this machine, and the record of what it asked.
func (d *Deps) Close() {
	endRecord(d)
	if d.local != nil {
		d.local.Close()
	}
}

// Service returns the service of a name.
func (d *Deps) Service(name string) (providers.Spec, error) {
	if service, ok := d.byName.Named(name); ok {
		return service, nil
	}
	return providers.Spec{}, Usagef("%q is not a provider: choose one of %s", name, strings.Join(d.byName.Names(), ", "))
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
		LookupEnv: d.LookupEnv, Now: d.Now, Services: d.byName, Config: d.Global.Config, NoPipe: d.Completing(),
		Stdin: d.UI.In, StdinIsTerminal: d.UI.InTerminal, Stderr: d.UI.ChildErr(),
		Prompter: hidden{d.UI.Prompter}, MayAsk: d.mayAsk, Watch: d.Watched,
		Warn: d.UI.Warn, WarnOnce: d.UI.WarnOnce, CommandFor: d.CommandFor,
		Fetched: func(s secret.Secret) { d.recorder.Withhold(s) },
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
