package profile

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
)

// maxTries is how often a person is asked for one value.
const maxTries = 3

// untilUsable asks until the answer can be used. A person's slip does not cost the answers
// before it.
func (a *add) untilUsable(ask func() error) error {
	for try := 1; ; try++ {
		err := ask()
		_, wrong := errors.AsType[*setting.Error](err)
		_, usage := errors.AsType[*verb.Error](err)
		if err == nil || !wrong && !usage || try == maxTries {
			return err
		}
		a.warn(err)
	}
}

// chooseService returns the service of --provider, else that of the base, or asks for one.
func (a *add) chooseService(ctx context.Context) (chosen providers.Spec, err error) {
	switch {
	case a.base.Named && a.provider != "" && a.provider != a.base.Service.Name:
		return chosen, verb.Usagef("the base %s is for %s: leave --provider out", a.extends, a.base.Service.Name)
	case a.provider != "":
		return a.Service(a.provider)
	case a.base.Named:
		return a.base.Service, nil
	}
	names := make([]string, len(a.Services()))
	for i, s := range a.Services() {
		names[i] = s.Name
	}
	if !a.UI.Prompter.CanAsk() {
		return chosen, verb.Usagef("--provider is missing: one of %s", strings.Join(names, ", "))
	}
	err = a.untilUsable(func() error {
		answer, err := a.UI.Prompter.Line(ctx, "provider ("+strings.Join(names, ", ")+")", "")
		if err != nil {
			return err
		}
		chosen, err = a.Service(answer)
		return err
	})
	return chosen, err
}

// ask asks a person for what is needed and not there. Secrets come last: what follows one
// in a paste is then no answer to anything.
func (a *add) ask(ctx context.Context) error {
	for _, secrets := range []bool{false, true} {
		for _, d := range a.asked() {
			if secrets != (d.Kind == setting.Secret) {
				continue
			}
			if err := a.askFor(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// askFor asks for a setting unless it was given or may stay as it is. Where nobody can be
// asked only what is missing is an error.
func (a *add) askFor(ctx context.Context, d setting.Setting) error {
	d = a.needed(a.values, d)
	value, _ := a.values.Lookup(d.Name)
	missing := value.Text == "" && value.Origin == "" && d.Wanted(a.values)
	if value.Origin != "" || !missing && !d.Asked {
		return nil
	}
	how := "it with --set " + d.Name + "=…"
	err := a.untilUsable(func() error {
		if d.Kind != setting.Secret {
			return a.askText(ctx, d, missing)
		}
		how = "a reference with --set " + d.Name + "=env:NAME"
		return a.askSecret(ctx, d, missing)
	})
	switch {
	case !errors.Is(err, term.ErrNoInput):
		return err
	case missing:
		return fmt.Errorf("%s is missing: %w; give %s", d.Name, err, how)
	}
	return nil
}

// askText asks for a setting that is no secret.
func (a *add) askText(ctx context.Context, d setting.Setting, missing bool) error {
	label := d.Name + " (" + d.Help
	if len(d.Values) > 0 {
		label += ": " + strings.Join(d.Values, ", ")
	}
	if d.Example != "" {
		label += "; such as " + d.Example
	}
	answer, err := a.UI.Prompter.Line(ctx, label+")", d.Default)
	switch {
	case err != nil:
		return err
	case answer == "" && missing:
		return verb.Usagef("%s is needed", d.Name)
	case answer == "" || answer == d.Default:
		return nil
	}
	return a.put(d.Name, answer)
}

// askSecret asks for a secret, unseen, to keep it in the keyring, or for a reference to it. One that
// is not missing may be left out.
func (a *add) askSecret(ctx context.Context, d setting.Setting, missing bool) error {
	kinds, standard := "env:NAME, file:PATH, cmd:COMMAND, stdin, prompt", "prompt"
	switch {
	case !missing:
		kinds, standard = "env:NAME, file:PATH, cmd:COMMAND, keyring:NAME; empty for none", ""
	case d.Token:
		kinds, standard = "env:NAME, file:PATH, profile:NAME, github:AUDIENCE, azure-pipelines:CONNECTION, cmd:COMMAND", ""
	case strings.HasPrefix(d.Example, "file:"):
		kinds, standard = "env:NAME, file:PATH, cmd:COMMAND, keyring:NAME", d.Example
	case a.canKeep(ctx):
		answer, err := a.UI.Prompter.Hidden(ctx, d.Name+" (kept in the keyring; empty to give a reference instead)")
		if err != nil {
			return err
		}
		if answer != "" {
			return a.keep(ctx, d.Name, files.TidySecret(answer))
		}
		kinds = "env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin, prompt"
	}
	reference, err := a.UI.Prompter.Line(ctx, d.Name+" reference ("+kinds+")", standard)
	if err != nil || reference == "" && !missing {
		return err
	}
	return a.put(d.Name, reference)
}

// keep refers to a secret that is put into the keyring when the profile is written.
func (a *add) keep(ctx context.Context, setting, typed string) error {
	name, err := freeName(ctx, a.local, secretName(a.values.Profile, setting))
	if err != nil {
		return err
	}
	if odd := files.OddSecret(typed); odd != "" {
		a.UI.Warn(setting + " " + odd + ", which is taken for a part of it")
	}
	a.typed[name] = secret.New(typed)
	return a.put(setting, "keyring:"+name)
}

// canKeep reports whether there is a keyring for what is typed, and says so once where
// there is none: nobody types a secret that is lost then.
func (a *add) canKeep(ctx context.Context) bool {
	if a.keyless {
		return false
	}
	unusable, ok := errors.AsType[*store.UnusableError](a.local.Keyring.CheckUnlocked(ctx))
	if a.keyless = ok && unusable.Problem == store.Unreachable; a.keyless {
		a.UI.Note("there is no keyring here to keep a secret in: give a reference to it")
	}
	return !a.keyless
}
