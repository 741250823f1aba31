package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/tokenkey"
)

// usable is a profile that can be used, and what its tokens depend on.
type usable struct {
	profile   *config.Profile
	key       tokenkey.Key
	endpoints []providers.Endpoint
}

// checkConfiguration checks the file and every profile that is asked for.
func (d *doctor) checkConfiguration(ctx context.Context) {
	file, err := d.local.File()
	var names []string
	if err == nil {
		names, err = d.names(file)
	}
	if err != nil {
		d.fail(check{Name: "file"}, err)
		return
	}
	d.checkFile(file)
	var plain []string
	for _, name := range names {
		plain = append(plain, d.checkProfile(ctx, file, name)...)
	}
	for _, part := range file.Parts() {
		if part.Readable && slices.Contains(plain, part.Path) {
			d.warn(check{
				Name: "mode", Hint: "chmod 600 " + part.Path,
				Message: "other users can read the file, and it seems to hold a secret in plain text",
			})
		}
	}
	d.checkShared()
}

// names returns the profiles to look at: the one that is asked for, the environment's,
// or all of the file. The empty name stands for the environment's.
func (d *doctor) names(file *config.File) ([]string, error) {
	asked, _ := d.LookupEnv("AUTHCTL_PROFILE")
	if asked = cmp.Or(d.named, asked); asked != "" {
		return []string{asked}, nil
	}
	if d.provider() != "" {
		return []string{""}, nil
	}
	return file.Names()
}

// provider is the service of the profile that the environment is made of, empty without one.
func (d *doctor) provider() string {
	name, _ := d.LookupEnv("AUTHCTL_PROVIDER")
	return name
}

// checkFile tells where the configuration comes from, and whether its default exists.
func (d *doctor) checkFile(file *config.File) {
	c := check{Name: "file"}
	parts := file.Parts()
	if len(parts) == 0 && d.provider() == "" {
		c.Message = "there is none" + strings.TrimSuffix(" at "+file.Path, " at ")
		c.Hint = "make one with: authctl profile add NAME"
		d.warn(c)
		return
	}
	if len(parts) == 0 {
		c.Message = "none; AUTHCTL_PROVIDER and its companions say it all"
		d.ok(c)
		return
	}
	c.Message = fmt.Sprintf("%s, mode %04o", file.Path, parts[0].Mode)
	if _, named := d.local.Located(); d.Global.Config != "" {
		c.Message += ", named by --config"
	} else if named {
		c.Message += ", named by AUTHCTL_CONFIG"
	}
	d.ok(c)
	for _, part := range parts[1:] {
		d.ok(check{Name: "include", Message: fmt.Sprintf("%s, mode %04o", part.Path, part.Mode)})
	}
	if d.named == "" {
		d.checkNames(file)
		d.checkBases(file)
	}
}

// checkBases checks each base by itself, and tells how many profiles extend it.
func (r *report) checkBases(file *config.File) {
	names, err := file.Bases()
	if len(names) == 0 || err != nil {
		return
	}
	summaries, _ := file.List()
	for _, name := range names {
		c := check{Name: "base " + name}
		base, err := file.Base(name, "")
		if err != nil {
			r.fail(c, err)
			continue
		}
		n := 0
		for _, s := range summaries {
			if s.Base == name {
				n++
			}
		}
		c.Message = fmt.Sprintf("in %s:%d, extended by %d", base.Path, base.Line, n)
		if n == 0 {
			c.Message = fmt.Sprintf("in %s:%d, and no profile extends it", base.Path, base.Line)
		}
		r.ok(c)
	}
}

// checkNames checks that the file has profiles, and the one that it names for calls without.
func (d *doctor) checkNames(file *config.File) {
	names, err := file.Names()
	if err != nil {
		return
	}
	fallback, err := file.Default()
	switch {
	case d.provider() != "":
		d.ok(check{
			Name: "profiles", Hint: "name one to have it checked: authctl doctor PROFILE",
			Message: "those of the file are passed over, because AUTHCTL_PROVIDER is set",
		})
	case len(names) == 0:
		d.warn(check{Name: "profiles", Message: "the file has none", Hint: "make one with: authctl profile add NAME"})
	case err != nil:
		d.fail(check{Name: "default_profile"}, err)
	case fallback == "":
	case !slices.Contains(names, fallback):
		d.fail(check{Name: "default_profile"}, &setting.Error{
			Path: file.Path, Name: "default_profile", Problem: file.NamesNothing(fallback),
			Help: "choose another with: authctl profile use NAME", Err: config.ErrNoProfile,
		})
	default:
		d.ok(check{Name: "default_profile", Message: fallback})
	}
}

// checkProfile checks one profile, and returns the files that seem to hold a secret in plain
// text.
func (d *doctor) checkProfile(ctx context.Context, file *config.File, name string) (plain []string) {
	c := check{Name: "profile", Profile: cmp.Or(name, config.EnvironmentProfile)}
	d.settings = setting.Names{}
	p, err := file.Profile(name, nil)
	if errors.Is(err, config.ErrNoProfile) && !config.MayBeShown(c.Profile) {
		c.Profile = "?"
	}
	var provider *providers.Provider
	if err == nil {
		d.settings = p.Settings.Applying(p.Service.Settings())
		err = p.Settings.Check(p.Service.Settings())
	}
	if err == nil {
		provider, err = p.Service.New(p.Settings, &oauth.Client{})
	}
	if errors.Is(err, source.ErrNotReference) {
		_, c.Hint = verb.Judge(err)
		c.Hint += "\nif it is the secret itself, have a new one issued: it stood in plain text"
		if wrong, ok := errors.AsType[*setting.Error](err); ok {
			plain = append(plain, wrong.Path)
		}
	}
	if err != nil {
		d.fail(c, err)
		return plain
	}
	found := usable{p, provider.Key(), provider.Endpoints()}
	d.usable = append(d.usable, found)
	d.checkSettings(ctx, found)
	d.checkKept(found)
	return nil
}

// checkSettings checks what the settings of a profile are, and where its secrets come from.
func (d *doctor) checkSettings(ctx context.Context, u usable) {
	p := u.profile
	if odd := p.Service.Doubt(p.Settings); odd != "" {
		d.warn(check{Name: "base_url", Profile: p.Name, Message: odd})
	}
	text := p.Service.Title + ", " + string(u.key.Grant)
	if account := p.Settings.Text("account"); account != "" {
		text += ", account " + account
	}
	d.ok(check{Name: "profile", Profile: p.Name, Message: text})
	for _, warning := range scopes.Check(p.Service, p.Settings.List("scopes")) {
		d.warn(check{Name: "scopes", Profile: p.Name, Message: warning.String()})
	}
	for _, found := range p.Inspect(ctx) {
		if found.Setting == "private_key" && found.Err == nil {
			found.Err = unsuitable(ctx, p, found)
		}
		if found.Setting == setting.OldSecret {
			found.Note = strings.TrimPrefix(found.Note+", tried when client_secret is refused: a rotation is under way", ", ")
		}
		d.secret(check{Name: found.Setting, Profile: p.Name}, found)
	}
}

// unsuitable says why the private key that a file or a variable holds cannot sign as the profile
// wants it to, nil when it can or is elsewhere.
func unsuitable(ctx context.Context, p *config.Profile, found source.Inspection) error {
	if found.Kind != "file" && found.Kind != "env" || !p.Settings.Applying(p.Service.Settings()).Have("private_key") {
		return nil
	}
	key, err := p.Settings.Secret("private_key")(ctx)
	if err == nil {
		err = jose.CheckKey(key, cmp.Or(p.Settings.Text("key_algorithm"), p.Service.Algorithm))
	}
	wrong, ok := errors.AsType[*jose.KeyError](err)
	if !ok {
		return err
	}
	help := "give another key"
	if p.Settings.Text("key_algorithm") != "" {
		help = "leave key_algorithm out, or " + help
	}
	return found.Failed(setting.Wrong("", wrong.Problem, cmp.Or(wrong.Hint, help)))
}

// secret reports where a secret comes from and whether it can be had.
func (d *doctor) secret(c check, found source.Inspection) {
	c.Message = "from " + cmp.Or(found.String(), strings.TrimPrefix(found.Origin, "environment "))
	if found.Note != "" {
		c.Message += ", " + found.Note
	}
	switch {
	case errors.Is(found.Err, source.ErrElsewhere):
		d.warn(c)
	case found.Err != nil:
		d.fail(c, found.Err)
	case found.Risk != "":
		c.Message, c.Hint = c.Message+": "+found.Risk, found.Remedy
		d.warn(c)
	case found.Kind == "prompt" && !d.UI.Prompter.CanAsk():
		c.Message += ", but nobody can be asked here"
		c.Hint = "run it in a terminal, or give the secret by a reference such as env:NAME or file:PATH"
		d.warn(c)
	default:
		d.ok(c)
	}
}

// checkShared warns of profiles whose tokens are one entry of the cache.
func (d *doctor) checkShared() {
	sharing := map[string][]string{}
	for _, u := range d.usable {
		digest := u.key.Digest()
		sharing[digest] = append(sharing[digest], u.profile.Name)
	}
	for _, u := range d.usable {
		if names := sharing[u.key.Digest()]; len(names) > 1 && names[0] == u.profile.Name {
			d.warn(check{
				Name: "identity", Message: "profiles " + strings.Join(names, " and ") + " share one cached token: " +
					"service, account, client, grant, user and scopes are the same",
				Hint: "keep one of them, or give them different scopes; a token of one is served for the other",
			})
		}
	}
}
