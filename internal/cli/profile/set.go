package profile

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// set is `profile set`: what it is to change.
type set struct {
	*verb.Deps
	verb.Service
	stdin, noVerify bool

	local *client.Local
	// profile is as the file says, and name its name.
	profile *config.Profile
	name    string
	// values are to be written and gone to be taken out; secret is the setting whose secret is to be
	// changed, empty for none.
	values []edit.Setting
	gone   []string
	secret string
}

func newSet(d *verb.Deps) *cobra.Command {
	s := &set{Deps: d}
	return d.Command(cobra.Command{
		Use:   "set PROFILE KEY=VALUE… | PROFILE SECRET",
		Short: "Change a profile in the configuration file, or its secret",
		Long: `Change a profile where it stands: KEY=VALUE gives a setting another value, KEY= takes it
out. Comments, order and the rest of the file stay. What a base gives is set in the profile
itself. The value of a secret is a reference: env:NAME, file:PATH, cmd:COMMAND, keyring:NAME.

With the name of a secret alone, such as client_secret, the new secret is typed unseen or
comes from --stdin. A new token proves that it works, and only then it takes the place of
the old one: in the keyring, or in a file of yours. Where the service refuses it or cannot
be reached, the old one stays.`,
		Example: `  authctl profile set calls region=eu scopes="contacts:read apps:read"
  authctl profile set calls allow_hosts=
  authctl profile set calls client_secret
  op read op://ci/talkdesk/secret | authctl profile set calls client_secret --stdin`,
		Args:              verb.Arguments(2, 1000, "PROFILE or what to set"),
		ValidArgsFunction: s.complete,
	}, verb.Flags{
		Service: &s.Service, Watched: true,
		Without: append(verb.ForCachedTokens(), "profile", "scope", "dry-run"),
		Own: func(f *pflag.FlagSet) {
			f.BoolVar(&s.stdin, "stdin", false, "read the new secret from stdin")
			f.BoolVar(&s.noVerify, "no-verify", false, "do not get a new token with the new secret first")
		},
	}, s.run)
}

// complete offers profiles, and then the settings of that one's service.
func (s *set) complete(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return s.CompleteProfile(c, args, begun)
	}
	file, err := s.File()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	p, err := file.Behind(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var words []string
	for _, d := range p.Service.Settings() {
		if d.Kind == setting.Secret {
			words = append(words, d.Name)
		}
		words = append(words, d.Name+"=")
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func (s *set) run(ctx context.Context, args []string) (err error) {
	if s.name, err = s.Choose(args[:1]); err != nil {
		return err
	}
	if s.local, err = s.Local(); err != nil {
		return err
	}
	file, err := s.local.File()
	if err != nil {
		return err
	}
	if s.profile, err = file.Behind(s.name); err != nil && s.profile == nil {
		return err
	}
	if err := s.read(args[1:]); err != nil {
		return err
	}
	if s.secret != "" {
		err = s.changeSecret(ctx, file)
	} else {
		err = s.changeValues(ctx, file)
	}
	s.SayIfInterrupted(err, "nothing is changed")
	return err
}

// read reads what is to change. What an argument holds may be a secret in the wrong place, so it is
// repeated only where it is a name.
func (s *set) read(args []string) error {
	for _, arg := range args {
		key, value, given := strings.Cut(arg, "=")
		key = files.Tidy(key)
		if !isKey(key) {
			return verb.Usagef("an argument is neither KEY=VALUE nor the name of a secret setting")
		}
		if err := s.take(key, files.Tidy(value), given); err != nil {
			return err
		}
	}
	switch {
	case s.secret != "" && len(s.values)+len(s.gone) > 0:
		return verb.Usagef("%s is changed by itself: set the rest in another call", s.secret)
	case s.secret == "" && s.stdin:
		return verb.Usagef("--stdin is for a secret: name it, such as client_secret")
	}
	return nil
}

// isKey reports whether what stands before = can be a key and no part of a secret.
func isKey(key string) bool {
	return key != "" && len(key) <= 40 && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" &&
		!secret.MayBeToken(key)
}

// take takes one argument.
func (s *set) take(key, value string, given bool) error {
	twice := slices.Contains(s.gone, key) || s.secret != "" && !given ||
		slices.ContainsFunc(s.values, func(v edit.Setting) bool { return v.Key == key })
	service := s.profile.Service
	i := slices.IndexFunc(service.Settings(), func(d setting.Setting) bool { return d.Name == key })
	switch {
	case twice:
		return verb.Usagef("%s is one too many: each is set once, and one secret by itself", key)
	case key == "provider":
		return &setting.Error{
			Profile: s.name, Name: key, Problem: "is what all the rest depends on, and is not changed",
			Help: "add another profile: " + s.CommandFor("NAME", "profile", "add"),
		}
	case key == "extends" && given:
		return s.takeBase(value)
	case i >= 0 && given && value == "":
		s.gone = append(s.gone, key)
		return s.notOfBase(key)
	case i >= 0 && !given && service.Settings()[i].Kind == setting.Secret && !service.Settings()[i].Token:
		s.secret = key
		return nil
	case i >= 0 && !given:
		return verb.Usagef("%s has no value: %s=VALUE, or %s= to take it out", key, key, key)
	}
	return s.takeValue(key, value)
}

// takeValue takes a value as config would read it from the file, and what a pasted address says of
// other settings.
func (s *set) takeValue(key, text string) error {
	service := s.profile.Service
	value, err := config.ParseSetting(service, key, text)
	if wrong, ok := errors.AsType[*setting.Error](err); ok {
		if wrong.Profile = s.name; s.isSecret(key) {
			wrong.Help = "have it asked for: " + s.CommandFor(s.name, "profile", "set") + " " + key + ", or pipe it in with " +
				"--stdin; what was given here may be in the history of your shell, and in the list of processes; else " + wrong.Help
		}
	}
	if err != nil {
		return err
	}
	i := slices.IndexFunc(service.Settings(), func(d setting.Setting) bool { return d.Name == key })
	s.values = append(s.values, written(service.Settings()[i], value))
	for other, said := range config.Addressed(service, key, text) {
		if other != key && s.profile.Settings.Text(other) != said {
			s.values = append(s.values, edit.Setting{Key: other, Text: said})
			s.UI.Note(other + " is " + said + ", by the address given as " + key)
		}
	}
	if key == "scopes" {
		s.WarnOfScopes(service, value.List, "")
	}
	return nil
}

func (s *set) isSecret(key string) bool {
	return slices.ContainsFunc(s.profile.Service.Settings(), func(d setting.Setting) bool {
		return d.Name == key && d.Kind == setting.Secret
	})
}

// takeBase takes the base that the profile extends.
func (s *set) takeBase(name string) error {
	if name == "" {
		s.gone = append(s.gone, "extends")
		return nil
	}
	s.values = append(s.values, edit.Setting{Key: "extends", Text: name})
	return nil
}

// notOfBase refuses to take out what the profile has from its base alone.
func (s *set) notOfBase(key string) error {
	v, _ := s.profile.Settings.Lookup(key)
	if !strings.HasPrefix(v.Origin, "base ") {
		return nil
	}
	return &setting.Error{
		Profile: s.name, Name: key, Problem: "is not in the profile itself, but in " + v.Origin,
		Help: "give the profile another value, or change the base by hand",
	}
}

// changeValues writes the values. A secret that nothing refers to any more is deleted from the keyring,
// when a new token proves that it is not needed.
func (s *set) changeValues(ctx context.Context, file *config.File) error {
	r, err := edit.Set(file, s.name, s.values, s.gone)
	if err != nil {
		return err
	}
	after, err := s.check(r)
	if err != nil {
		return err
	}
	unused := s.unused(file, after)
	keep := ""
	if len(unused) > 0 {
		if keep, err = s.prove(ctx, after, "", secret.Secret{}); err != nil {
			return err
		}
	}
	err = s.local.Change(ctx, s.name, func(file *config.File) error {
		if r, err = edit.Set(file, s.name, s.values, s.gone); err != nil {
			return err
		}
		if _, err := s.check(r); err != nil {
			return err
		}
		return r.Write()
	})
	if err != nil {
		return err
	}
	if !r.Changes() {
		s.UI.Note("profile " + s.name + " is as it was")
		return nil
	}
	s.UI.Note("profile " + s.name + " changed in " + r.Path)
	s.drop(ctx, unused, keep)
	return nil
}

// check looks whether the profile can be used as it will be. Errors are *setting.Error.
func (s *set) check(r *edit.Revision) (*config.File, error) {
	after, err := r.File()
	if err != nil {
		return nil, err
	}
	p, err := after.Behind(s.name)
	if err == nil {
		err = s.local.CheckProfile(p, client.Options{Store: s.Service.Store.Name})
	}
	if err == nil {
		if odd := p.Service.Doubt(p.Settings); odd != "" {
			s.UI.WarnOnce(odd)
		}
	}
	return after, err
}

// unused are the profile's own secrets in the keyring that nothing refers to after the change.
func (s *set) unused(before, after *config.File) []string {
	own, _ := before.OwnSecrets(s.name, secretName(s.name, ""))
	still, err := after.OwnSecrets(s.name, secretName(s.name, ""))
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(own, func(name string) bool { return slices.Contains(still, name) })
}

// drop deletes secrets from the keyring unless there is a reason to keep them.
func (s *set) drop(ctx context.Context, names []string, keep string) {
	for _, name := range names {
		if keep != "" {
			s.UI.Note("the secret " + name + " stays in the keyring: " + keep)
			continue
		}
		dropSecret(ctx, s.Deps, s.local, name)
	}
}
