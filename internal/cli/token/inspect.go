package token

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// inspect is `token inspect`.
type inspect struct {
	*verb.Deps
	service verb.Service
	output  verb.Output
	stdin   bool
}

func newInspect(d *verb.Deps) *cobra.Command {
	i := &inspect{Deps: d}
	return d.Command(cobra.Command{
		Use:   "inspect [PROFILE]",
		Short: "Tell what the token says",
		Long: `Tell what the token says: the claims when it is a JWT, its expiry, the scopes that were
asked for and granted. The signature is checked where the service publishes its keys;
otherwise the claims are marked unverified.

--stdin reads any token, and asks nobody: the token alone or in quotes, a header, what
any format of token get prints, or a token endpoint's reply.`,
		Example: `  authctl token inspect engage
  pbpaste | authctl token inspect --stdin`,
	}, verb.Flags{
		Service: &i.service, Output: &i.output, Formats: []string{"table", "json"}, Watched: true,
		Own: func(flags *pflag.FlagSet) { flags.BoolVar(&i.stdin, "stdin", false, "read a token from stdin") },
	}, i.run)
}

func (i *inspect) run(ctx context.Context, args []string) error {
	read := i.profile
	if i.stdin {
		read = i.pasted
	}
	found, err := read(ctx, args)
	switch {
	case found == nil:
		return err
	case i.output.JSON():
		return i.UI.JSON(found)
	}
	return i.show(found)
}

// pasted reads a token from stdin.
func (i *inspect) pasted(ctx context.Context, args []string) (*inspected, error) {
	if len(args) > 0 || i.service.Profile.Name != "" {
		return nil, verb.Usagef("--stdin and a profile do not go together")
	}
	text, err := i.ReadStdin(ctx, &i.service)
	if err != nil {
		return nil, err
	}
	found, ok := formats.Find(text)
	if !ok {
		return nil, verb.Usagef("stdin holds no token, or more than a token can be told from")
	}
	t := decoded(secret.New(found.Token))
	t.judge(found.Expiry, i.Now())
	return &t, nil
}

// profile reads the token of a profile; none and no error after a dry run.
func (i *inspect) profile(ctx context.Context, args []string) (*inspected, error) {
	c, err := i.Open(&i.service, args)
	if err != nil {
		return nil, err
	}
	_, answer, err := c.Present(ctx)
	if err == nil && answer.Token.AccessToken.IsZero() {
		err = oauth.ErrDryRun
	}
	if err != nil {
		return nil, i.DryRan(c, err)
	}
	now, expiry := i.Now(), answer.Token.Expiry()
	t := decoded(answer.Token.AccessToken)
	t.Profile, t.Provider, t.SessionID = c.Profile.Name, c.Provider.Name(), answer.Token.SessionID
	t.IssuedTokenType = answer.Token.IssuedTokenType
	t.Requested, t.Granted = c.Profile.Settings.List("scopes"), answer.Token.Scope
	if t.ExpiresAt, _, _ = moment.Fields(expiry, now); t.ExpiresAt != nil {
		t.ends = moment.End(expiry) + ", " + moment.Left(expiry, now)
	}
	if t.LifetimeAssumed = answer.Token.LifetimeAssumed; t.LifetimeAssumed {
		t.ends += ", as the profile's lifetime assumes"
	}
	t.judge(expiry, now)
	if id, err := jose.ParseJWT(answer.Token.IDToken); err == nil {
		t.IDToken = id.Claims
	}
	if t.Kind == "jwt" && c.Profile.Service.Has(providers.PublicKeys) && !c.Options.DryRun {
		t.verify(ctx, c, answer)
	}
	return &t, nil
}

// verify checks the signature with the keys of the service.
func (t *inspected) verify(ctx context.Context, c *client.Client, answer broker.Answer) {
	err := c.Bounded(ctx, client.SessionOf(answer.Token), func(ctx context.Context, with providers.Session) error {
		return c.Provider.Verify(ctx, with.AccessToken)
	})
	_, wrong := errors.AsType[*jose.JWTError](err)
	switch {
	case err == nil:
		t.Verified, t.Verification = true, "verified with the keys that the service publishes"
	case wrong:
		t.Verification = "NOT the service's: " + err.Error()
		t.Verdict = "NOT the service's; by its own words " + cmp.Or(t.Verdict, "without an end")
	default:
		t.Verification = "unverified: " + err.Error()
	}
}

// show prints what a token says for people.
func (i *inspect) show(t *inspected) error {
	var b strings.Builder
	for _, line := range [][2]string{
		{"kind     ", t.Kind},
		{"verdict  ", t.Verdict},
		{"signature", t.Verification},
		{"expires  ", t.ends},
		{"requested", strings.Join(t.Requested, " ")},
		{"granted  ", secret.CleanText(strings.Join(t.Granted, " "))},
		{"session  ", t.SessionID},
		{"issued as", oauth.ShortTokenType(t.IssuedTokenType)},
	} {
		if line[1] != "" {
			b.WriteString(i.UI.Beside(line[0]+"  ", line[1]))
		}
	}
	if err := i.claims(&b, "", t.Claims); err != nil {
		return err
	}
	if err := i.claims(&b, "ID token, unverified", t.IDToken); err != nil {
		return err
	}
	return i.UI.Print(b.String())
}

// claims writes claims as a table below their title; no claims write nothing.
func (i *inspect) claims(w io.Writer, title string, claims json.RawMessage) error {
	if claims == nil {
		return nil
	}
	table, err := verb.ClaimTable(claims, i.Now())
	if err != nil {
		return err
	}
	if title != "" {
		title = "\n" + i.UI.Out.Strong(title)
	}
	_, err = io.WriteString(w, title+"\n"+i.UI.Fit(table).String())
	return err
}
