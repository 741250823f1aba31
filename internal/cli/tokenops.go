package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/spf13/cobra"
)

func (a *app) tokenIntrospect() *cobra.Command {
	f, output := &verb.Service{}, &verb.Output{}
	command := &cobra.Command{
		Use:   "introspect [PROFILE]",
		Short: "Ask the service what it knows of the token (RFC 7662)",
		Args:  verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(output); err != nil {
				return err
			}
			return a.runIntrospect(a.Watched(command.Context()), f, output, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	f.Bind(command.Flags())
	output.Bind(command.Flags(), "table", "json")
	return command
}

func (a *app) runIntrospect(ctx context.Context, f *verb.Service, output *verb.Output, args []string) error {
	s, err := a.Open(f, args)
	if err != nil {
		return err
	}
	if err := s.Profile.Service.Require(providers.Introspect, a.Services); err != nil {
		return err
	}
	var reply json.RawMessage
	err = s.With(ctx, func(ctx context.Context, with providers.Session) error {
		reply, err = s.Provider.Introspect(ctx, with.AccessToken)
		return err
	})
	if err != nil {
		return a.DryRan(s, err)
	}
	return a.Object(output, reply)
}

func (a *app) tokenRevoke() *cobra.Command {
	f, output := &verb.Service{}, &verb.Output{}
	command := &cobra.Command{
		Use:   "revoke [PROFILE]",
		Short: "Revoke the cached token at the service and forget it (RFC 7009)",
		Args:  verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(output); err != nil {
				return err
			}
			return a.runRevoke(a.Watched(command.Context()), f, output, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	f.Bind(command.Flags(), verb.ForCachedTokens()...)
	output.Bind(command.Flags(), "text", "json")
	return command
}

func (a *app) runRevoke(ctx context.Context, f *verb.Service, output *verb.Output, args []string) error {
	s, err := a.Open(f, args)
	if err != nil {
		return err
	}
	if err := s.Profile.Service.Require(providers.Revoke, a.Services); err != nil {
		return err
	}
	record, err := s.Stored(ctx)
	if err != nil {
		return err
	}
	if record == nil {
		return a.revoked(s, output, false)
	}
	err = s.Bounded(ctx, client.SessionOf(record.Token), func(ctx context.Context, with providers.Session) error {
		// The access token goes first: it may end with the refresh token.
		err := s.Provider.Revoke(ctx, with.AccessToken, "access_token")
		if err != nil || with.RefreshToken.IsZero() {
			return err
		}
		return s.Provider.Revoke(ctx, with.RefreshToken, "refresh_token")
	})
	if refused, ok := errors.AsType[*oauth.Error](err); ok && refused.Code == "invalid_token" {
		// What the service does not know is of no use here either.
		return errors.Join(err, s.Forget(ctx))
	}
	if err != nil {
		return a.DryRan(s, err)
	}
	if err := s.Forget(ctx); err != nil {
		return err
	}
	return a.revoked(s, output, true)
}

// revoked tells whether there was a token to revoke.
func (a *app) revoked(s *client.Client, output *verb.Output, done bool) error {
	switch {
	case output.JSON():
		return a.UI.JSON(map[string]any{"profile": s.Profile.Name, "provider": s.Provider.Name(), "revoked": done})
	case done:
		a.UI.Note("the token of profile " + s.Profile.Name + " is revoked")
	default:
		a.UI.Note("there is no token of profile " + s.Profile.Name + " here")
	}
	return nil
}

// inspectOptions are the flags of `token inspect`.
type inspectOptions struct {
	verb.Service
	output verb.Output
	stdin  bool
}

func (a *app) tokenInspect() *cobra.Command {
	o := &inspectOptions{}
	command := &cobra.Command{
		Use:   "inspect [PROFILE]",
		Short: "Tell what the token says",
		Long: `Tell what the token says: the claims when it is a JWT, its expiry, the scopes that were
asked for and granted. The signature is checked where the service publishes its keys;
otherwise the claims are marked unverified.

--stdin reads any token, and asks nobody: the token alone or in quotes, a header, what
any format of token get prints, or a token endpoint's reply.`,
		Example: `  authctl token inspect engage
  pbpaste | authctl token inspect --stdin`,
		Args: verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(&o.output); err != nil {
				return err
			}
			ctx := a.Watched(command.Context())
			if o.stdin {
				return a.inspectStdin(ctx, o, args)
			}
			return a.runInspect(ctx, o, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	o.Bind(command.Flags())
	o.output.Bind(command.Flags(), "table", "json")
	command.Flags().BoolVar(&o.stdin, "stdin", false, "read a token from stdin")
	return command
}

// inspected is what `token inspect -o json` prints.
type inspected struct {
	Profile  string `json:"profile,omitempty"`
	Provider string `json:"provider,omitempty"`
	// Kind is jwt, jwe or opaque.
	Kind string `json:"kind"`
	// Verdict says whether it can be used now: "valid for 5m", "expired 3d ago"; absent
	// where nobody knows.
	Verdict string `json:"verdict,omitempty"`
	// Verified says that the signature was checked with the service's keys;
	// Verification says with what result, or why not.
	Verified     bool            `json:"verified"`
	Verification string          `json:"verification"`
	Header       json.RawMessage `json:"header,omitempty"`
	Claims       json.RawMessage `json:"claims,omitempty"`
	ExpiresAt    *string         `json:"expires_at,omitempty"`
	// ends is ExpiresAt for people.
	ends      string
	Requested []string `json:"scopes_requested,omitempty"`
	Granted   []string `json:"scopes_granted,omitempty"`
	// SessionID and IDToken, its claims, are there when the profile keeps them.
	SessionID string          `json:"sid,omitempty"`
	IDToken   json.RawMessage `json:"id_token_claims,omitempty"`
}

func (a *app) inspectStdin(ctx context.Context, o *inspectOptions, args []string) error {
	if len(args) > 0 || o.Profile.Name != "" {
		return verb.Usagef("--stdin and a profile do not go together")
	}
	text, err := a.ReadStdin(ctx, &o.Service)
	if err != nil {
		return err
	}
	found, ok := formats.Find(text)
	if !ok {
		return verb.Usagef("stdin holds no token, or more than a token can be told from")
	}
	i := decoded(secret.New(found.Token))
	i.judge(found.Expiry, a.Now())
	return a.showInspected(o, i)
}

// decoded reads a token without asking anybody.
func decoded(token secret.Secret) inspected {
	if header, ok := jose.ParseJWE(token); ok {
		return inspected{
			Kind: "jwe", Header: header, Verification: "none: it is encrypted, and only whom it is for can read it",
		}
	}
	jwt, err := jose.ParseJWT(token)
	if err != nil {
		return inspected{Kind: "opaque", Verification: "an opaque token says nothing by itself"}
	}
	return inspected{
		Kind: "jwt", Header: jwt.Header, Claims: jwt.Claims,
		Verification: "unverified: nobody checked the signature",
	}
}

func (a *app) runInspect(ctx context.Context, o *inspectOptions, args []string) error {
	s, err := a.Open(&o.Service, args)
	if err != nil {
		return err
	}
	_, answer, err := s.Present(ctx)
	if err == nil && answer.Token.AccessToken.IsZero() {
		err = oauth.ErrDryRun
	}
	if err != nil {
		return a.DryRan(s, err)
	}
	i := decoded(answer.Token.AccessToken)
	i.Profile, i.Provider = s.Profile.Name, s.Provider.Name()
	i.Requested, i.Granted = s.Profile.Settings.List("scopes"), answer.Token.Scope
	i.ExpiresAt, _, _ = moment.Fields(answer.Token.Expiry(), a.Now())
	if i.ExpiresAt != nil {
		i.ends = moment.End(answer.Token.Expiry()) + ", " + moment.Left(answer.Token.Expiry(), a.Now())
	}
	i.SessionID = answer.Token.SessionID
	i.judge(answer.Token.Expiry(), a.Now())
	if id, err := jose.ParseJWT(answer.Token.IDToken); err == nil {
		i.IDToken = id.Claims
	}
	if i.Kind == "jwt" && s.Profile.Service.Has(providers.PublicKeys) && !s.Options.DryRun {
		err := s.Bounded(ctx, client.SessionOf(answer.Token), func(ctx context.Context, with providers.Session) error {
			return s.Provider.Verify(ctx, with.AccessToken)
		})
		i.Verified, i.Verification = err == nil, "verified with the keys that the service publishes"
		if err != nil {
			i.Verification = "unverified: " + err.Error()
		}
		if _, wrong := errors.AsType[*jose.JWTError](err); wrong {
			i.Verification = "NOT the service's: " + err.Error()
		}
	}
	return a.showInspected(o, i)
}

// judge says whether the token can be used: by its claims, else by the end that somebody
// else told.
func (i *inspected) judge(expiry, now time.Time) {
	var header struct {
		Algorithm string `json:"alg"`
	}
	var claims struct {
		Expires   float64 `json:"exp"`
		NotBefore float64 `json:"nbf"`
	}
	// What is no number is no moment either.
	_, _ = json.Unmarshal(i.Header, &header), json.Unmarshal(i.Claims, &claims)
	at := func(seconds float64) time.Time { return time.Unix(int64(seconds), 0) }
	if claims.Expires > 0 && claims.Expires < 1e11 {
		expiry = at(claims.Expires)
	}
	var words []string
	switch {
	case !expiry.IsZero() && !expiry.After(now):
		words = append(words, "expired "+moment.Away(expiry.Sub(now)))
	case claims.NotBefore < 1e11 && at(claims.NotBefore).After(now):
		words = append(words, "not yet valid, "+moment.Away(at(claims.NotBefore).Sub(now)))
	case !expiry.IsZero():
		words = append(words, "valid for "+moment.Lasting(expiry.Sub(now).Truncate(time.Second)))
	case i.Kind == "jwt":
		words = append(words, "it has no end (exp)")
	}
	if strings.EqualFold(header.Algorithm, "none") {
		words = append(words, "alg: none, so nobody signed it and anybody may have made it")
	}
	i.Verdict = strings.Join(words, "; ")
}

func (a *app) showInspected(o *inspectOptions, i inspected) error {
	if o.output.JSON() {
		return a.UI.JSON(i)
	}
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			b.WriteString(a.UI.Beside(name+"  ", value))
		}
	}
	line("kind     ", i.Kind)
	line("verdict  ", i.Verdict)
	line("signature", i.Verification)
	line("expires  ", i.ends)
	line("requested", strings.Join(i.Requested, " "))
	line("granted  ", secret.CleanText(strings.Join(i.Granted, " ")))
	line("session  ", i.SessionID)
	for _, part := range []struct {
		title  string
		claims json.RawMessage
	}{{"", i.Claims}, {"ID token, unverified", i.IDToken}} {
		if err := a.writeClaims(&b, part.title, part.claims); err != nil {
			return err
		}
	}
	return a.UI.Print(b.String())
}

// writeClaims writes claims as a table below their title; no claims write nothing.
func (a *app) writeClaims(w io.Writer, title string, claims json.RawMessage) error {
	if claims == nil {
		return nil
	}
	table, err := verb.ClaimTable(claims, a.Now())
	if err != nil {
		return err
	}
	if title != "" {
		title = "\n" + a.UI.Out.Strong(title)
	}
	if _, err := io.WriteString(w, title+"\n"); err != nil {
		return err
	}
	_, err = a.UI.Fit(table).WriteTo(w)
	return err
}
