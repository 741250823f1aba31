package profile

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
)

// changeSecret puts a new secret in the place of the old one, once it is proven: until then, and if this
// process dies at any moment, the old one is there.
func (s *set) changeSecret(ctx context.Context, file *config.File) error {
	at, there := s.profile.Reference(s.secret)
	if err := s.canKeep(ctx, at, there); err != nil {
		return err
	}
	fresh, err := s.ask(ctx)
	if err != nil {
		return err
	}
	if _, err := s.prove(ctx, file, s.secret, fresh); err != nil {
		return s.unproven(err)
	}
	err = s.local.Change(ctx, s.name, func(file *config.File) error {
		now, err := file.Behind(s.name)
		if err != nil && now == nil {
			return err
		}
		if is, still := now.Reference(s.secret); still != there || is.Reference != at.Reference {
			return &setting.Error{
				Profile: s.name, Name: s.secret, Problem: "was changed by somebody else meanwhile", Help: "try again",
				Err: edit.ErrChanged,
			}
		}
		return s.put(ctx, file, at, there, fresh)
	})
	if err != nil {
		return err
	}
	s.tellOthers(file)
	return nil
}

// unproven is the error of a new secret that gets no token.
func (s *set) unproven(err error) error {
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Reason == providers.ReasonCredentials {
		failure.Hint = "see that the new one is copied whole, is that of this client, and is known to the service by now; " +
			"--no-verify takes it without a proof"
	}
	return fmt.Errorf("the new %s does not take the place of the old one: %w", s.secret, err)
}

// canKeep looks, before a person is asked, whether there is a place for the secret.
func (s *set) canKeep(ctx context.Context, at source.Need, there bool) error {
	if there && at.Kind != "keyring" {
		return s.local.Fetcher().Kept(at)
	}
	err := s.local.Keyring.CheckUnlocked(ctx)
	if unusable, ok := errors.AsType[*store.UnusableError](err); ok && unusable.Problem == store.Unreachable {
		return err
	}
	return nil
}

// ask reads the new secret: from a person, or from stdin.
func (s *set) ask(ctx context.Context) (secret.Secret, error) {
	read := func() (string, error) {
		return s.UI.Prompter.Hidden(ctx, "new "+s.secret+" of profile "+s.name)
	}
	if s.stdin {
		read = func() (string, error) {
			text, err := verb.FromStdin(ctx, s.Deps, &s.Service, func() ([]byte, error) {
				return io.ReadAll(io.LimitReader(s.UI.In, 1<<16))
			})
			return string(text), err
		}
	}
	text, err := read()
	if errors.Is(err, term.ErrNoInput) {
		return secret.Secret{}, fmt.Errorf("new %s: %w; --stdin takes it from a pipe", s.secret, err)
	}
	if err != nil {
		return secret.Secret{}, err
	}
	fresh := files.TidySecret(text)
	if fresh == "" {
		return secret.Secret{}, verb.Usagef("the new %s is empty", s.secret)
	}
	if odd := files.OddSecret(fresh); odd != "" {
		s.UI.Warn("the new " + s.secret + " " + odd + ", which is taken for a part of it")
	}
	return secret.New(fresh), nil
}

// put writes the secret: where the old one is, else into the keyring with a reference in the file. When
// that cannot be written the keyring is as it was.
func (s *set) put(ctx context.Context, file *config.File, at source.Need, there bool, fresh secret.Secret) error {
	switch {
	case there && at.Kind == "file":
		if err := s.local.Fetcher().PutFile(ctx, at, fresh); err != nil {
			return err
		}
		s.UI.Note("the new " + s.secret + " of profile " + s.name + " is in " + at.String())
		return nil
	case there:
		if err := s.local.Keyring.SetSecret(ctx, at.Arg, fresh); err != nil {
			return err
		}
		s.UI.Note("the new " + s.secret + " of profile " + s.name + " is in the keyring, as " + at.Arg)
		return nil
	}
	name, err := freeName(ctx, s.local, secretName(s.name, s.secret))
	if err != nil {
		return err
	}
	reference := edit.Setting{Key: s.secret, Kind: setting.Secret, Text: "keyring:" + name}
	r, err := edit.Set(file, s.name, []edit.Setting{reference}, nil)
	if err == nil {
		_, err = s.check(r)
	}
	if err != nil {
		return err
	}
	if err := s.local.Keyring.SetSecret(ctx, name, fresh); err != nil {
		return err
	}
	if err := r.Write(); err != nil {
		dropSecret(ctx, s.Deps, s.local, name)
		return err
	}
	s.UI.Note("the " + s.secret + " of profile " + s.name + " is in the keyring, as " + name + "; " + r.Path + " says so")
	return nil
}

// prove gets a new token with a new secret, or with the profile as it is about to be where none is
// named. Unproven says why that was not done; an error why it cannot be had.
func (s *set) prove(
	ctx context.Context, file *config.File, name string, fresh secret.Secret,
) (unproven string, err error) {
	flags := map[string]setting.Value{}
	if name == setting.OldSecret {
		name = "client_secret" // as which it has to work
	}
	if name != "" {
		flags[name] = setting.Value{Secret: secret.Known(fresh), Origin: "the new " + name}
	}
	p, err := file.Profile(s.name, flags)
	switch {
	case err != nil:
		return "", err
	case s.noVerify:
		return "", nil
	case oauth.Grant(p.Settings.Text("grant")).NeedsPerson():
		s.UI.Note("whether it works is not proven: a token of profile " + s.name + " needs a login; see it with: " +
			s.CommandFor(s.name, "login"))
		return "nothing proves that it is not needed; with --no-verify it goes", nil
	}
	if name == "client_secret" {
		p.Settings = p.Settings.With(setting.OldSecret, setting.Value{})
	}
	return "", s.getToken(ctx, p)
}

// getToken gets a new token of a profile and keeps it.
func (s *set) getToken(ctx context.Context, p *config.Profile) error {
	s.NoCache = true
	c, err := s.OpenProfile(&s.Service, p)
	if err != nil {
		return err
	}
	answer, err := c.Token(ctx)
	if err != nil {
		return err
	}
	s.UI.Note("a new token was had with it")
	s.keepToken(ctx, c, answer.Token)
	return nil
}

// keepToken stores what proved the secret: the token before may end with the secret that it was got by.
func (s *set) keepToken(ctx context.Context, c *client.Client, token oauth.Token) {
	if err := c.Keep(ctx, token); err != nil {
		s.UI.Warn("the new token is not cached: " + err.Error())
	}
}

// tellOthers says which variable goes before what was changed.
func (s *set) tellOthers(*config.File) {
	for _, d := range s.profile.Service.Settings() {
		if d.Name == s.secret && s.local.LookupEnv.Has(d.Env()) {
			s.UI.Warn("the variable " + d.Env() + " is set and goes before it")
		}
	}
	if old, ok := s.profile.Reference(setting.OldSecret); ok && s.secret == "client_secret" {
		s.UI.Note("client_secret_old (" + old.String() + ") is still tried when client_secret is refused; when the old " +
			"one is not needed any more: " + s.CommandFor(s.name, "profile", "set") + " client_secret_old=")
	}
}
