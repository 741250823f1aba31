package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// patient is a profile that can be used, and what its tokens depend on.
type patient struct {
	profile   *config.Profile
	identity  oauth.Key
	endpoints []providers.Endpoint
}

// configuration checks the file and every profile that is asked for.
func (e *examination) configuration(ctx context.Context) {
	file, err := e.setup.File()
	if err != nil {
		e.fail(check{Section: sectionConfig, Name: "file"}, err)
		return
	}
	names, err := e.names(file)
	if err != nil {
		e.fail(check{Section: sectionConfig, Name: "file"}, err)
		return
	}
	e.file(file)
	plain := false
	for _, name := range names {
		plain = e.profile(ctx, file, name) || plain
	}
	e.exposure(file, plain)
	e.sharedIdentities()
}

// names returns the profiles to look at: the one that is asked for, the environment's,
// or all of the file. The empty name stands for the environment's.
func (e *examination) names(file *config.File) ([]string, error) {
	asked, _ := e.app.LookupEnv("AUTHCTL_PROFILE")
	if asked = cmp.Or(e.named, asked); asked != "" {
		return []string{asked}, nil
	}
	if provider, _ := e.app.LookupEnv("AUTHCTL_PROVIDER"); provider != "" {
		return []string{""}, nil
	}
	return file.Names()
}

// file tells where the configuration comes from, and whether its default exists.
func (e *examination) file(file *config.File) {
	c := check{Section: sectionConfig, Name: "file"}
	_, named := e.setup.Located()
	mode, _, found := file.Exposed()
	provider, _ := e.app.LookupEnv("AUTHCTL_PROVIDER")
	switch {
	case found:
		c.Message = fmt.Sprintf("%s, mode %04o", file.Path, mode)
		switch {
		case e.app.Global.Config != "":
			c.Message += ", named by --config"
		case named:
			c.Message += ", named by AUTHCTL_CONFIG"
		}
		e.ok(c)
	case provider != "":
		c.Message = "none; AUTHCTL_PROVIDER and its companions say it all"
		e.ok(c)
	default:
		c.Message = "there is none" + strings.TrimSuffix(" at "+file.Path, " at ")
		c.Hint = "make one with: authctl profile add NAME"
		e.warn(c)
	}
	names, err := file.Names()
	switch {
	case err != nil || e.named != "" || !found:
	case provider != "":
		e.ok(check{
			Section: sectionConfig, Name: "profiles", Hint: "name one to have it checked: authctl doctor PROFILE",
			Message: "those of the file are passed over, because AUTHCTL_PROVIDER is set",
		})
	case len(names) == 0:
		e.warn(check{
			Section: sectionConfig, Name: "profiles", Message: "the file has none",
			Hint: "make one with: authctl profile add NAME",
		})
	default:
		e.fallback(file, names)
	}
}

// fallback checks that default_profile exists.
func (e *examination) fallback(file *config.File, names []string) {
	c := check{Section: sectionConfig, Name: "default_profile"}
	name, err := file.Default()
	switch {
	case err != nil:
		e.fail(c, err)
	case name == "":
	case !slices.Contains(names, name):
		e.fail(c, &config.Error{
			Path: file.Path, Key: "default_profile",
			Problem:    namesNothing(name),
			Suggestion: "choose another with: authctl profile use NAME", Err: config.ErrNoProfile,
		})
	default:
		c.Message = name
		e.ok(c)
	}
}

// profile checks one profile, and reports whether it seems to hold a secret in plain
// text.
func (e *examination) profile(ctx context.Context, file *config.File, name string) (plain bool) {
	c := check{Section: sectionConfig, Name: "profile", Profile: cmp.Or(name, config.EnvironmentProfile)}
	p, err := file.Profile(name, nil)
	if errors.Is(err, config.ErrNoProfile) && !config.MayBeShown(c.Profile) {
		c.Profile = "?"
	}
	e.settings = setting.Names{}
	if err == nil {
		e.settings = p.Settings.Applying(p.Service.Settings)
		err = p.Settings.Check(p.Service.Settings)
	}
	var client *providers.Provider
	if err == nil {
		client, err = p.Service.New(p.Settings, &oauth.Client{})
	}
	if errors.Is(err, config.ErrNotReference) {
		_, c.Hint = verb.Judge(err)
		c.Hint += "\nif it is the secret itself, have a new one issued: it stood in plain text"
		plain = true
	}
	if err != nil {
		e.fail(c, err)
		return plain
	}
	if odd := p.Service.Doubt(p.Settings); odd != "" {
		e.warn(check{Section: sectionConfig, Name: "base_url", Profile: p.Name, Message: odd})
	}
	identity := client.Key()
	e.patients = append(e.patients, patient{p, identity, client.Endpoints()})
	c.Message = p.Service.Title + ", " + string(identity.Grant)
	if account := p.Settings.Text("account"); account != "" {
		c.Message += ", account " + account
	}
	e.ok(c)
	for _, warning := range scopes.Check(p.Service, p.Settings.List("scopes")) {
		e.warn(check{Section: sectionConfig, Name: "scopes", Profile: p.Name, Message: warning.String()})
	}
	for _, found := range p.Inspect(ctx) {
		e.secret(check{Section: sectionConfig, Name: found.Setting, Profile: p.Name}, found)
	}
	return plain
}

// secret reports where a secret comes from and whether it can be had.
func (e *examination) secret(c check, found source.Inspection) {
	c.Message = "from " + cmp.Or(found.String(), strings.TrimPrefix(found.Origin, "environment "))
	if found.Note != "" {
		c.Message += ", " + found.Note
	}
	switch {
	case found.Err != nil:
		e.fail(c, found.Err)
	case found.Risk != "":
		c.Message += ": " + found.Risk
		c.Hint = found.Remedy
		e.warn(c)
	case found.Kind == "prompt" && !e.app.UI.Prompter.CanAsk():
		c.Message += ", but nobody can be asked here"
		c.Hint = "run it in a terminal, or give the secret by a reference such as env:NAME or file:PATH"
		e.warn(c)
	default:
		e.ok(c)
	}
}

// exposure warns of a file that others can read, where it seems to hold a secret.
func (e *examination) exposure(file *config.File, plain bool) {
	if _, readable, found := file.Exposed(); plain && found && readable {
		e.warn(check{
			Section: sectionConfig, Name: "mode", Hint: "chmod 600 " + file.Path,
			Message: "other users can read the file, and it seems to hold a secret in plain text",
		})
	}
}

// sharedIdentities warns of profiles whose tokens are one entry of the cache.
func (e *examination) sharedIdentities() {
	sharing := map[string][]string{}
	var digests []string
	for _, p := range e.patients {
		digest := p.identity.Digest()
		if len(sharing[digest]) == 0 {
			digests = append(digests, digest)
		}
		sharing[digest] = append(sharing[digest], p.profile.Name)
	}
	for _, digest := range digests {
		if names := sharing[digest]; len(names) > 1 {
			e.warn(check{
				Section: sectionConfig, Name: "identity",
				Message: "profiles " + strings.Join(names, " and ") + " share one cached token: service, account, client, " +
					"grant, user and scopes are the same",
				Hint: "keep one of them, or give them different scopes; a token of one is served for the other",
			})
		}
	}
}
