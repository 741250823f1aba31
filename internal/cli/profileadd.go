package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// profileAddOptions are the flags of `profile add`.
type profileAddOptions struct {
	provider string
	set      []string
}

func (a *app) profileAdd() *cobra.Command {
	o := &profileAddOptions{}
	command := &cobra.Command{
		Use:   "add PROFILE",
		Short: "Add a profile to the configuration file",
		Long: `Add a profile to the configuration file. In a terminal it asks for what the service
needs and --set does not give. A secret is typed unseen and kept in the OS keyring; or
leave it empty and give a reference instead: env:NAME, file:PATH, cmd:COMMAND,
keyring:NAME, stdin or prompt. The rest of the file stays as it is.`,
		Example: `  authctl profile add calls --provider talkdesk
  authctl profile add engage --provider pexip --set account=acme --set client_id=scripts \
    --set client_secret=env:ENGAGE_SECRET --set scopes=engage:appointments:readOnly`,
		Args: verb.Arguments(1, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(nil); err != nil {
				return err
			}
			return a.runProfileAdd(a.Watched(command.Context()), o, args[0])
		},
	}
	command.Flags().StringVar(&o.provider, "provider", "", "the `service`: see authctl providers list")
	command.Flags().StringArrayVar(&o.set, "set", nil,
		"a setting as `name=value`; a secret's value is a reference (repeatable)")
	_ = command.RegisterFlagCompletionFunc("provider",
		func(command *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			return a.completeProvider(command, nil, begun)
		})
	return command
}

// addition is a profile being put together.
type addition struct {
	*app
	setup   *client.Local
	profile string
	service providers.Spec
	values  map[string]setting.Value
	// keyless says that there is no keyring here.
	keyless bool
	// typed are the secrets to put into the keyring, by name there.
	typed map[string]secret.Secret
}

func (a *app) runProfileAdd(ctx context.Context, o *profileAddOptions, name string) error {
	setup, err := a.Local()
	if err != nil {
		return err
	}
	setup.MayBeNew()
	file, err := setup.File()
	if err != nil {
		return err
	}
	add := &addition{app: a, setup: setup, profile: name, typed: map[string]secret.Secret{}}
	if err := edit.Check(file, name); err != nil {
		return err
	}
	if add.service, err = a.chooseService(ctx, o.provider); err != nil {
		a.SayIfInterrupted(err, "nothing was written")
		return err
	}
	if err := add.given(o.set); err != nil {
		return err
	}
	if err := add.ask(ctx); err != nil {
		a.SayIfInterrupted(err, "nothing was written")
		return err
	}
	if err := add.check(); err != nil {
		return err
	}
	if err := setup.Change(ctx, file.Path, func(file *config.File) error { return add.write(ctx, file) }); err != nil {
		return err
	}
	a.UI.Note("profile " + name + " added to " + file.Path + "; try it: " + a.CommandFor(name, "token", "get"))
	return nil
}

// write puts the secrets into the keyring and the profile into the file: both or
// neither.
func (add *addition) write(ctx context.Context, file *config.File) error {
	// Somebody may have added it while a person was typing, and put a secret under its name.
	if err := edit.Check(file, add.profile); err != nil {
		return err
	}
	for secret, value := range add.typed {
		if err := add.setup.Keyring.SetSecret(ctx, secret, value); err != nil {
			return err
		}
	}
	err := edit.Add(file, add.profile, add.lines())
	if err == nil {
		return nil
	}
	for secret := range add.typed {
		if left := add.setup.Keyring.DeleteSecret(ctx, secret); left != nil {
			add.UI.Warn("the secret " + secret + " is still in the keyring: " + left.Error())
		}
	}
	return err
}

// freeName returns a name in the keyring that no other configuration's profile of
// the same name uses already.
func (add *addition) freeName(ctx context.Context, setting string) (string, error) {
	name := secretName(add.profile, setting)
	for n := 2; ; n++ {
		_, err := add.setup.Keyring.Secret(ctx, name)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return name, nil
		case err != nil:
			return "", err
		}
		name = fmt.Sprintf("%s-%d", secretName(add.profile, setting), n)
	}
}

// maxTries is how often a person is asked for one value.
const maxTries = 3

// untilUsable asks until the answer can be used. A person's slip does not cost the answers
// before it.
func (a *app) untilUsable(ask func() error) error {
	for try := 1; ; try++ {
		err := ask()
		_, wrong := errors.AsType[*config.Error](err)
		_, usage := errors.AsType[*verb.Error](err)
		_, setting := errors.AsType[*setting.Error](err)
		if err == nil || !wrong && !usage && !setting || try == maxTries {
			return err
		}
		_, hint := verb.Judge(err)
		a.UI.Warn(err.Error())
		if hint != "" && !a.Global.Quiet {
			a.UI.Say(a.UI.Err.Notice("hint:"), a.Subject.Names.In(hint))
		}
	}
}

// chooseService returns the named service, or asks for one.
func (a *app) chooseService(ctx context.Context, name string) (providers.Spec, error) {
	if name != "" {
		return a.Service(name)
	}
	names := []string{}
	for _, s := range a.Services {
		names = append(names, s.Name)
	}
	if !a.UI.Prompter.CanAsk() {
		return providers.Spec{}, verb.Usagef("--provider is missing: one of %s", strings.Join(names, ", "))
	}
	var chosen providers.Spec
	err := a.untilUsable(func() error {
		answer, err := a.UI.Prompter.Line(ctx, "provider ("+strings.Join(names, ", ")+")", "")
		if err != nil {
			return err
		}
		chosen, err = a.Service(answer)
		return err
	})
	return chosen, err
}

// given takes the settings of --set.
func (add *addition) given(set []string) error {
	add.values = map[string]setting.Value{}
	for _, d := range add.service.Settings {
		if d.Default != "" {
			add.values[d.Name] = setting.Value{Text: d.Default}
		}
	}
	for _, pair := range set {
		name, text, ok := strings.Cut(pair, "=")
		if !ok {
			return verb.Usagef("--set %s is not name=value", name)
		}
		if err := add.put(name, text); err != nil {
			return err
		}
	}
	return nil
}

// put takes one value as config would read it from the file.
func (add *addition) put(name, text string) error {
	value, err := config.ParseSetting(add.service, name, text)
	if err != nil {
		return err
	}
	before, had := add.values[name]
	add.values[name] = value
	if err := add.checkAnswer(name); err != nil {
		if delete(add.values, name); had {
			add.values[name] = before
		}
		return err
	}
	add.takeAlong(name, text)
	if name == "scopes" {
		add.WarnOfScopes(add.service, value.List, "")
	}
	return nil
}

// takeAlong takes what a pasted address says of further settings.
func (add *addition) takeAlong(name, text string) {
	for other, said := range config.Addressed(add.service, name, files.Tidy(text)) {
		if other != name && add.values[other].Origin == "" {
			add.values[other] = setting.Value{Text: said, Origin: "what was given"}
			add.UI.Note(other + " is " + said + ", by the address given as " + name)
		}
	}
}

// checkAnswer builds the client of what is there, with examples for what is not, and
// returns what is wrong with one setting.
func (add *addition) checkAnswer(name string) error {
	values := maps.Clone(add.values)
	for _, d := range add.service.Settings {
		if _, ok := values[d.Name]; ok || !d.Required {
			continue
		}
		v := setting.Value{Text: d.Example, Secret: secret.Known(secret.New(d.Example))}
		if d.Kind == setting.List {
			v.List = []string{d.Example}
		}
		values[d.Name] = v
	}
	_, err := add.service.New(setting.New(add.profile, values), &oauth.Client{})
	if wrong, ok := errors.AsType[*setting.Error](err); ok && wrong.Name == name {
		return err
	}
	return nil
}

// ask asks a person for what is needed and not there.
func (add *addition) ask(ctx context.Context) error {
	// Secrets come last: what follows one in a paste is then no answer to anything.
	settings := slices.Clone(add.service.Settings)
	slices.SortStableFunc(settings, func(a, b setting.Setting) int {
		return cmp.Compare(secretRank(a), secretRank(b))
	})
	for _, d := range settings {
		value, ok := add.values[d.Name]
		missing := !ok && d.Wanted(add.settings())
		if given := value.Origin != ""; given || !missing && !d.Asked {
			continue
		}
		err := add.untilUsable(func() error {
			if d.Kind == setting.Secret {
				return add.askSecret(ctx, d)
			}
			return add.askText(ctx, d, missing)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func secretRank(d setting.Setting) int {
	if d.Kind == setting.Secret {
		return 1
	}
	return 0
}

// askText asks for a setting that is no secret. Where nobody can be asked only
// what is missing is an error.
func (add *addition) askText(ctx context.Context, d setting.Setting, missing bool) error {
	label := d.Name + " (" + d.Help
	if len(d.Values) > 0 {
		label += ": " + strings.Join(d.Values, ", ")
	}
	if d.Example != "" {
		label += "; such as " + d.Example
	}
	answer, err := add.UI.Prompter.Line(ctx, label+")", d.Default)
	switch {
	case errors.Is(err, term.ErrNoInput) && !missing:
		return nil
	case errors.Is(err, term.ErrNoInput):
		return fmt.Errorf("%s is missing: %w; give it with --set %s=…", d.Name, err, d.Name)
	case err != nil:
		return err
	case answer == "" && missing:
		return verb.Usagef("%s is needed", d.Name)
	case answer == "" || answer == d.Default:
		return nil
	}
	return add.put(d.Name, answer)
}

// askSecret asks for a secret, unseen, to keep it in the keyring, or for a
// reference to it.
func (add *addition) askSecret(ctx context.Context, d setting.Setting) error {
	if !add.canKeep(ctx) {
		return add.askReference(ctx, d)
	}
	answer, err := add.UI.Prompter.Hidden(ctx, d.Name+" (kept in the keyring; empty to give a reference instead)")
	if errors.Is(err, term.ErrNoInput) {
		return fmt.Errorf("%s is missing: %w; give a reference with --set %s=env:NAME", d.Name, err, d.Name)
	}
	if err != nil {
		return err
	}
	if answer != "" {
		name, err := add.freeName(ctx, d.Name)
		if err != nil {
			return err
		}
		if answer = files.TidySecret(answer); files.OddSecret(answer) != "" {
			add.UI.Warn(d.Name + " " + files.OddSecret(answer) + ", which is taken for a part of it")
		}
		add.typed[name] = secret.New(answer)
		return add.put(d.Name, "keyring:"+name)
	}
	return add.askReference(ctx, d)
}

// canKeep reports whether there is a keyring for what is typed, and says so once where
// there is none: nobody types a secret that is lost then.
func (add *addition) canKeep(ctx context.Context) bool {
	if add.keyless {
		return false
	}
	unusable, ok := errors.AsType[*store.UnusableError](add.setup.Keyring.CheckUnlocked(ctx))
	if add.keyless = ok && unusable.Problem == store.Unreachable; add.keyless {
		add.UI.Note("there is no keyring here to keep a secret in: give a reference to it")
	}
	return !add.keyless
}

// askReference asks for a reference to a secret.
func (add *addition) askReference(ctx context.Context, d setting.Setting) error {
	kinds := "env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin, prompt"
	if add.keyless {
		kinds = strings.Replace(kinds, "keyring:NAME, ", "", 1)
	}
	label := d.Name + " reference (" + kinds + ")"
	reference, err := add.UI.Prompter.Line(ctx, label, "prompt")
	if errors.Is(err, term.ErrNoInput) {
		return fmt.Errorf("%s is missing: %w; give a reference with --set %s=env:NAME", d.Name, err, d.Name)
	}
	if err != nil {
		return err
	}
	return add.put(d.Name, reference)
}

func (add *addition) settings() setting.Values {
	return setting.New(add.profile, add.values)
}

// check builds the client, so that what cannot work is not written.
func (add *addition) check() error {
	if err := add.settings().Check(add.service.Settings); err != nil {
		return err
	}
	if odd := add.service.Doubt(add.settings()); odd != "" {
		add.UI.Warn(odd)
	}
	_, err := add.service.New(add.settings(), &oauth.Client{})
	return err
}

// lines returns what is to be written: what was given, not the defaults.
func (add *addition) lines() []edit.Setting {
	lines := []edit.Setting{{Key: "provider", Text: add.service.Name}}
	for _, d := range add.service.Settings {
		if v := add.values[d.Name]; v.Origin != "" {
			lines = append(lines, edit.Setting{Key: d.Name, Kind: d.Kind, Text: v.Text, List: v.List})
		}
	}
	return lines
}
