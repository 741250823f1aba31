package verb

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
)

// Open opens the client that the flags and arguments ask for.
func (d *Deps) Open(f *Service, args []string) (*client.Client, error) {
	p, err := d.Pick(f, args, nil)
	if err != nil {
		return nil, err
	}
	return d.OpenProfile(f, p)
}

// OpenFor opens the client of an operation of providers, which its service has to have.
func (d *Deps) OpenFor(operation string, f *Service, args []string) (*client.Client, error) {
	c, err := d.Open(f, args)
	if err != nil {
		return nil, err
	}
	return c, c.Profile.Service.Require(operation, d.Services())
}

// Pick returns the profile that the flags and arguments ask for, with settings on top, and
// those of --scope; nil for none. A command may change it before it opens it.
func (d *Deps) Pick(f *Service, args []string, settings map[string]setting.Value) (*config.Profile, error) {
	name, err := f.Choose(args)
	if err == nil {
		err = f.Store.check()
	}
	if err == nil {
		err = f.Timeout.CheckTimeout()
	}
	if err != nil {
		return nil, err
	}
	if config.MayBeShown(name) {
		d.Subject.Profile = name
	}
	local, err := d.Local()
	if err != nil {
		return nil, err
	}
	if scopes := f.ScopeList(); scopes != nil {
		if settings = maps.Clone(settings); settings == nil {
			settings = map[string]setting.Value{}
		}
		settings["scopes"] = setting.Value{List: slices.Clip(scopes), Origin: "flag --scope"}
	}
	p, err := local.Pick(name, settings, f.Timeout.Given)
	if err != nil {
		return nil, err
	}
	d.Subject.Profile, d.Subject.Provider = p.Name, p.Service.Name
	return p, nil
}

// OpenProfile opens a profile that was picked, as the flags say.
func (d *Deps) OpenProfile(f *Service, p *config.Profile) (*client.Client, error) {
	settings := p.Settings
	d.Subject = Subject{
		Profile: p.Name, Provider: p.Service.Name,
		RenewCommand:  d.CommandFor(p.Name, "token", "get", "--force-refresh"),
		LoginCommand:  d.CommandFor(p.Name, append([]string{"login"}, f.Entry()...)...),
		Names:         func() setting.Names { return settings.Applying(p.Service.Settings()) },
		PipelineGrant: grantForPipeline(d, p),
	}
	local, err := d.Local()
	if err != nil {
		return nil, err
	}
	c, err := local.Open(d.ctx, p, d.options(f, p))
	if err == nil {
		d.WarnOfScopes(p.Service, f.ScopeList(), "")
	}
	return c, err
}

// options are what the flags say of a client.
func (d *Deps) options(f *Service, p *config.Profile) client.Options {
	o := d.Asking(client.Options{
		Store: f.Store.Name, Timeout: f.Timeout.Given, MinTTL: f.MinTTL.Given,
		ForceRefresh: f.ForceRefresh, NoCache: f.NoCache, DryRun: f.DryRun, CAFile: f.CAFile,
		Using: d.TellOfScopes,
		// Whatever takes time is about to ask the service.
		Watch: func(ctx context.Context) context.Context {
			d.WarnOfProfile(p)
			return d.Watched(ctx)
		},
	})
	if f.Explain {
		o.Explain = d.UI.Explain
	}
	return o
}

// grantForPipeline says which grant needs no person, where a profile says nothing of its
// grant and nobody is here to log in.
func grantForPipeline(d *Deps, p *config.Profile) string {
	const grant = string(oauth.ClientCredentials)
	value, _ := p.Settings.Lookup("grant")
	if value.Origin != "default" || !slices.Contains(p.Service.Grants(), grant) ||
		!d.UI.Prompter.Off && p.Name != config.EnvironmentProfile {
		return ""
	}
	return "in a pipeline set grant: " + grant + " (AUTHCTL_GRANT=" + grant + "), " +
		"which the client has to be allowed at the service"
}

// Store returns the store that a flag, else the environment or the configuration, names.
func (d *Deps) Store(f *Store) (*client.Local, store.Store, error) {
	if err := f.check(); err != nil {
		return nil, nil, err
	}
	local, err := d.Local()
	if err != nil {
		return nil, nil, err
	}
	kept, err := local.Store(client.Options{Store: f.Name, CAFile: f.CAFile})
	return local, kept, err
}

// TellOthersLose says of a number of tokens that were forgotten, or in a dry run would be, that the
// other machines of the shared store that the flags name have them no more.
func TellOthersLose(d *Deps, f *Store, number int, dryRun bool) {
	local, err := d.Local()
	if err != nil {
		return
	}
	chosen, err := local.Chosen(f.Name)
	if err != nil {
		return
	}
	lose, them := "lose ", "it"
	if dryRun {
		lose = "would lose "
	}
	if number > 1 {
		them = "them"
	}
	d.UI.Note("other machines that share " + chosen.Shown() + " " + lose + them + " too")
}

// DryRan prints the requests that a dry run kept; any other error stays one.
func (d *Deps) DryRan(c *client.Client, err error) error {
	text, discovery, err := c.DryRun(err)
	if err != nil {
		return err
	}
	if discovery {
		d.UI.Note("where the next request goes is in the answer to this one")
	}
	return d.UI.Print(text)
}

// DryRun prints the request that would be sent for a new token, and sends nothing.
func (d *Deps) DryRun(ctx context.Context, c *client.Client) error {
	_, err := c.Token(ctx)
	if err == nil {
		return errors.New("no request would be sent")
	}
	return d.DryRan(c, err)
}

// ShowsStatus reports whether a line on stderr may change while something is done: not
// where what else goes there would tear it.
func (d *Deps) ShowsStatus(f *Service) bool {
	return d.UI.Redraws() && !d.Global.Quiet && !d.Global.Verbose && !f.Explain
}
