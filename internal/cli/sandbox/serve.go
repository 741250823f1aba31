// Package sandbox has the commands that emulate the five services on this machine: serve,
// run and tour.
package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// anyPort is where the sandbox listens unless told otherwise.
const anyPort = "127.0.0.1:0"

// profiles says what the sandbox's configuration holds, and who can sign in.
const profiles = `Profiles:
  pexip, talkdesk, qmatic, genesys,  a client with its secret
  oauth2
  pexip-jwt, talkdesk-jwt            a client with a private key
  pexip-openid                       with the scope openid, for userinfo
  genesys-password                   a user's password: userinfo, signout, passwd
  genesys-login, talkdesk-login      for login with the browser
  genesys-public                     the same for a client without a secret
  talkdesk-login-jwt                 the same for a client with a private key
  pexip-easy, talkdesk-easy,         for other programs: secrets without special characters,
  qmatic-easy, genesys-easy,         and the tokens of Pexip and oauth2 signed with RS256
  oauth2-easy

An issuer of OpenID Connect, by grant:
  oauth2-login, oauth2-public        for login with the browser, with a secret and without
  oauth2-device                      for login on another device
  oauth2-password                    a user's password
  oauth2-jwt, oauth2-exchange        an assertion of its own; the token of profile oauth2
by client authentication:
  oauth2-post, oauth2-secret-jwt,    a secret in the form, as a key; a private key
  oauth2-key
  oauth2-mtls, oauth2-mtls-self      a certificate, by an authority or self-signed
  oauth2-federated                   a job's identity token, from a file
  oauth2-github, oauth2-azure        the same as GitHub Actions and Azure Pipelines give it,
                                     for the command of run

The sign-in pages know one user each:
  Genesys    tenant ` + sandbox.GenesysTenant + ", username " + sandbox.GenesysUser + `
             password ` + sandbox.GenesysPassword + `
  Talkdesk   email ` + sandbox.TalkdeskUser + `
             password ` + sandbox.TalkdeskPassword + `
  oauth2     username ` + sandbox.OAuth2User + `
             password ` + sandbox.OAuth2Password

// Command returns the group `sandbox`.
func Command(d *verb.Deps) *cobra.Command {
	return d.Group("sandbox", "The five services emulated on this machine, to try things without an account",
		verb.Made{Name: "serve", Make: newServe},
		verb.Made{Name: "run", Make: newRun},
		verb.Made{Name: "tour", Make: newTour},
	)
}

// serve is `sandbox serve`.
type serve struct {
	*verb.Deps
	options           sandbox.Options
	listen, configOut string
}

func newServe(d *verb.Deps) *cobra.Command {
	s := &serve{Deps: d}
	return d.Command(cobra.Command{
		Use:   "serve",
		Short: "Serve the five services until interrupted",
		Long: `Serve the five services until interrupted. With --config-out there is a configuration
for them, whose secrets are files beside it.

` + profiles,
		Example: `  authctl sandbox serve --config-out sandbox.yaml &
  authctl --config sandbox.yaml token get pexip`,
	}, verb.Flags{Own: s.bind, Watched: true}, s.run)
}

func (s *serve) bind(f *pflag.FlagSet) {
	f.StringVar(&s.listen, "listen", anyPort, "the loopback `address` to listen on")
	f.StringVar(&s.configOut, "config-out", "", "write a configuration with the profiles to this `file`")
	bindLenient(f, &s.options)
}

// bindLenient binds the flag that serve and run have.
func bindLenient(f *pflag.FlagSet, options *sandbox.Options) {
	f.BoolVar(&options.Lenient, "lenient", false,
		"take Talkdesk's parameters in the query and Genesys' ping by cookie, as some public clients send them")
}

func (s *serve) run(ctx context.Context, _ []string) error {
	configOut, err := config.Path(s.LookupEnv, "--config-out", s.configOut)
	if err != nil {
		return err
	}
	server := sandbox.New(s.options)
	if err := server.Start(s.listen); errors.Is(err, sandbox.ErrNotLoopback) {
		return verb.Usagef("--listen: %w", err)
	} else if err != nil {
		return err
	}
	defer server.Close()
	if configOut != "" {
		if err := server.WriteConfig(configOut); err != nil {
			return fmt.Errorf("writing the sandbox's configuration: %w", err)
		}
	}
	s.UI.Say("sandbox ready at", server.URL())
	<-ctx.Done()
	return context.Cause(ctx)
}
