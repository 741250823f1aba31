package profile

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/openid"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// add is `profile add`: a profile being put together.
type add struct {
	*verb.Deps
	provider string
	extends  string
	set      []string
	caFile   string
	trace    verb.Trace

	local   *client.Local
	service providers.Spec
	// base is the one that the profile extends, the zero Base for none.
	base config.Base
	// values are those of the profile so far, with those of its base; defaults have no origin.
	values setting.Values
	// own are the settings that are the profile's own.
	own map[string]bool
	// found is what the issuer says of itself, nil when that is not known; endpoints says that there
	// is no issuer.
	found     *openid.Metadata
	endpoints bool
	// keyless says that there is no keyring here.
	keyless bool
	// typed are the secrets to put into the keyring, by name there.
	typed map[string]secret.Secret
}

func newAdd(d *verb.Deps) *cobra.Command {
	a := &add{Deps: d, own: map[string]bool{}, typed: map[string]secret.Secret{}}
	command := d.Command(cobra.Command{
		Use:   "add PROFILE",
		Short: "Add a profile to the configuration file",
		Long: `Add a profile to the configuration file. In a terminal it asks for what the service
needs and --set does not give. A secret is typed unseen and kept in the OS keyring; or
leave it empty and give a reference instead: env:NAME, file:PATH, cmd:COMMAND,
keyring:NAME, stdin or prompt. With --extends only what the base lacks is asked for and
written. The rest of the file stays as it is.

For --provider oauth2 it asks for the issuer first, reads what that says of itself, and
offers the grants and client authentications that it lists.`,
		Example: `  authctl profile add calls --provider talkdesk
  authctl profile add acme --extends talk --set account=acme
  authctl profile add engage --provider pexip --set account=acme --set client_id=scripts \
    --set client_secret=env:ENGAGE_SECRET --set scopes=engage:appointments:readOnly`,
		Args: verb.Arguments(1, 1, "PROFILE"),
	}, verb.Flags{
		Watched: true, Trace: &a.trace,
		Own: func(f *pflag.FlagSet) {
			f.StringVar(&a.provider, "provider", "", "the `service`: see authctl providers list")
			f.StringVar(&a.extends, "extends", "", "the `base` in the configuration that it is built on")
			verb.BindCAFile(f, &a.caFile)
			f.StringArrayVar(&a.set, "set", nil, "a setting as `name=value`; a secret's value is a reference (repeatable)")
		},
	}, a.run)
	_ = command.RegisterFlagCompletionFunc("provider",
		func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return completeProvider(d, nil)
		})
	_ = command.RegisterFlagCompletionFunc("extends",
		func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return completeBase(d) })
	return command
}

// completeBase offers the bases of the configuration.
func completeBase(d *verb.Deps) (found []string, _ cobra.ShellCompDirective) {
	if file, err := d.File(); err == nil {
		found, _ = file.Bases()
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

func (a *add) run(ctx context.Context, args []string) error {
	name := args[0]
	if err := a.compose(ctx, name); err != nil {
		a.SayIfInterrupted(err, "nothing was written")
		return err
	}
	return a.local.Change(ctx, "", func(file *config.File) error {
		if err := a.write(ctx, file); err != nil {
			return err
		}
		try := []string{"token", "get"}
		if oauth.Grant(a.values.Text("grant")).NeedsPerson() {
			try = []string{"login"}
		}
		a.UI.Note("profile " + name + " added to " + file.Path + "; try it: " + a.CommandFor(name, try...))
		return nil
	})
}

// compose puts the values together, of --set and of a person's answers.
func (a *add) compose(ctx context.Context, name string) (err error) {
	if a.local, err = a.Local(); err != nil {
		return err
	}
	a.local.MayBeNew()
	file, err := a.local.File()
	if err != nil {
		return err
	}
	if err := edit.Check(file, name); err != nil {
		return err
	}
	if err := a.choose(ctx, file); err != nil {
		return err
	}
	if err := a.given(name); err != nil {
		return err
	}
	if err := a.meet(ctx); err != nil {
		return err
	}
	if err := a.ask(ctx); err != nil {
		return err
	}
	return a.check()
}

// choose reads the base, where there is one, and chooses the service.
func (a *add) choose(ctx context.Context, file *config.File) (err error) {
	if a.extends != "" {
		a.base, err = file.Base(a.extends, "")
	}
	if wrong, ok := errors.AsType[*setting.Error](err); ok && wrong.Path == "" {
		wrong.Name = "--extends"
	}
	if err == nil {
		a.service, err = a.chooseService(ctx)
	}
	if err == nil && a.extends != "" && !a.base.Named {
		a.base, err = file.Base(a.extends, a.service.Name)
	}
	return err
}

// given takes the settings of the base and of --set.
func (a *add) given(profile string) error {
	a.values = setting.New(profile, nil)
	for _, d := range a.service.Settings() {
		if d.Default != "" {
			a.values = a.values.With(d.Name, setting.Value{Text: d.Default})
		}
	}
	for _, d := range a.base.Service.Settings() {
		if v, ok := a.base.Settings.Lookup(d.Name); ok {
			a.values = a.values.With(d.Name, v)
		}
	}
	for _, pair := range a.set {
		name, text, ok := strings.Cut(pair, "=")
		if !ok {
			return verb.Usagef("--set %s is not name=value", name)
		}
		if err := a.put(name, text); err != nil {
			return err
		}
	}
	return nil
}

// put takes one value as config would read it from the file, and what a pasted address
// says of further settings.
func (a *add) put(name, text string) error {
	value, err := config.ParseSetting(a.service, name, text)
	if err != nil {
		return err
	}
	with := a.values.With(name, value)
	if err := a.checkAnswer(with, name); err != nil {
		return err
	}
	a.values, a.own[name] = with, true
	for other, said := range config.Addressed(a.service, name, files.Tidy(text)) {
		if v, _ := a.values.Lookup(other); other != name && v.Origin == "" {
			a.values, a.own[other] = a.values.With(other, setting.Value{Text: said, Origin: "what was given"}), true
			a.UI.Note(other + " is " + said + ", by the address given as " + name)
		}
	}
	if name == "scopes" {
		a.WarnOfScopes(a.service, value.List, "")
	}
	return nil
}

// checkAnswer builds the client of what is there, with examples for what is not, and
// returns what is wrong with one setting.
func (a *add) checkAnswer(values setting.Values, name string) error {
	if err := a.checkLinks(values, name); err != nil {
		return err
	}
	_, err := a.service.New(a.withExamples(values), &oauth.Client{})
	if wrong, ok := errors.AsType[*setting.Error](err); ok && wrong.Name == name {
		return err
	}
	return nil
}

// checkLinks follows a setting, or with no name each, to the profile that it gets the token of.
func (a *add) checkLinks(values setting.Values, name string) error {
	file, err := a.local.File()
	if err != nil {
		return err
	}
	for _, d := range a.service.Settings() {
		link, ok := config.LinkOf(d, values.Text(d.Name))
		if !ok || name != "" && name != d.Name {
			continue
		}
		err := file.CheckLink(values.Profile, link)
		if wrong, ok := errors.AsType[*setting.Error](err); ok && wrong.Profile == "" {
			wrong.Profile = values.Profile
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// withExamples puts the examples of what is required in the place of what is not there.
func (a *add) withExamples(values setting.Values) setting.Values {
	for _, d := range a.service.Settings() {
		if _, ok := values.Lookup(d.Name); !ok && a.needed(values, d).Wanted(values) {
			values = values.With(d.Name, setting.Value{
				Text: d.Example, List: []string{d.Example}, Secret: secret.Known(secret.New(d.Example)),
			})
		}
	}
	return values
}

// check builds the client, so that what cannot work is not written.
func (a *add) check() error {
	if err := a.values.Check(a.service.Settings()); err != nil {
		return err
	}
	if err := a.checkLinks(a.values, ""); err != nil {
		return err
	}
	if odd := a.service.Doubt(a.values); odd != "" {
		a.UI.Warn(odd)
	}
	_, err := a.service.New(a.values, &oauth.Client{})
	return err
}

// write puts the secrets into the keyring and the profile into the file: both or
// neither.
func (a *add) write(ctx context.Context, file *config.File) error {
	// Somebody may have added it while a person was typing, and put a secret under its name.
	if err := edit.Check(file, a.values.Profile); err != nil {
		return err
	}
	for name, value := range a.typed {
		if err := a.local.Keyring.SetSecret(ctx, name, value); err != nil {
			return err
		}
	}
	err := edit.Add(file, a.values.Profile, a.lines())
	if err == nil {
		return nil
	}
	for name := range a.typed {
		if left := a.local.Keyring.DeleteSecret(ctx, name); left != nil {
			a.UI.Warn("the secret " + name + " is still in the keyring: " + left.Error())
		}
	}
	return err
}

// lines returns what is to be written: what was given, not the defaults and not what the base
// gives.
func (a *add) lines() []edit.Setting {
	var lines []edit.Setting
	if a.extends != "" {
		lines = append(lines, edit.Setting{Key: "extends", Text: a.extends})
	}
	if !a.base.Named {
		lines = append(lines, edit.Setting{Key: "provider", Text: a.service.Name})
	}
	for _, d := range a.service.Settings() {
		if v, _ := a.values.Lookup(d.Name); a.own[d.Name] {
			lines = append(lines, written(d, v))
		}
	}
	return lines
}

// written is one setting to write. A map is given as it is written.
func written(d setting.Setting, v setting.Value) edit.Setting {
	line := edit.Setting{Key: d.Name, Kind: d.Kind, Text: v.Text, List: v.List}
	if d.Kind == setting.Map {
		line.Text = kinds.MappingLine(v)
	}
	return line
}

// freeName returns a name in the keyring that no other configuration's profile of
// the same name uses already: the first, or one with a number behind it.
func freeName(ctx context.Context, local *client.Local, first string) (string, error) {
	name := first
	for n := 2; ; n++ {
		_, err := local.Keyring.Secret(ctx, name)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return name, nil
		case err != nil:
			return "", err
		}
		name = fmt.Sprintf("%s-%d", first, n)
	}
}
