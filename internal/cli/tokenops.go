package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/spf13/cobra"
)

func (a *app) tokenIntrospect() *cobra.Command {
	f, output := &serviceFlags{}, &outputFlag{}
	command := &cobra.Command{
		Use:   "introspect [PROFILE]",
		Short: "Ask the service what it knows of the token (RFC 7662)",
		Args:  arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(output); err != nil {
				return err
			}
			return a.runIntrospect(a.watched(command.Context()), f, output, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	f.bind(command.Flags())
	output.bind(command.Flags(), "table", "json")
	return command
}

func (a *app) runIntrospect(ctx context.Context, f *serviceFlags, output *outputFlag, args []string) error {
	s, err := a.open(f, args)
	if err != nil {
		return err
	}
	if err := s.profile.Service.Require(providers.Introspect, a.services); err != nil {
		return err
	}
	var reply json.RawMessage
	err = s.withToken(ctx, func(ctx context.Context, with providers.Session) error {
		reply, err = s.provider.Introspect(ctx, with.AccessToken)
		return err
	})
	if err != nil {
		return a.dryRan(s, err)
	}
	return a.object(output, reply)
}

func (a *app) tokenRevoke() *cobra.Command {
	f, output := &serviceFlags{}, &outputFlag{}
	command := &cobra.Command{
		Use:   "revoke [PROFILE]",
		Short: "Revoke the cached token at the service and forget it (RFC 7009)",
		Args:  arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(output); err != nil {
				return err
			}
			return a.runRevoke(a.watched(command.Context()), f, output, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	f.bind(command.Flags(), forCachedTokens()...)
	output.bind(command.Flags(), "text", "json")
	return command
}

func (a *app) runRevoke(ctx context.Context, f *serviceFlags, output *outputFlag, args []string) error {
	s, err := a.open(f, args)
	if err != nil {
		return err
	}
	if err := s.profile.Service.Require(providers.Revoke, a.services); err != nil {
		return err
	}
	record, err := s.stored(ctx)
	if err != nil {
		return err
	}
	if record == nil {
		return a.revoked(s, output, false)
	}
	err = s.bounded(ctx, sessionOf(record.Token), func(ctx context.Context, with providers.Session) error {
		// The access token goes first: it may end with the refresh token.
		err := s.provider.Revoke(ctx, with.AccessToken, "access_token")
		if err != nil || with.RefreshToken.IsZero() {
			return err
		}
		return s.provider.Revoke(ctx, with.RefreshToken, "refresh_token")
	})
	if refused, ok := errors.AsType[*oauth.Error](err); ok && refused.Code == "invalid_token" {
		// What the service does not know is of no use here either.
		return errors.Join(err, s.broker.Forget(ctx, s.request))
	}
	if err != nil {
		return a.dryRan(s, err)
	}
	if err := s.broker.Forget(ctx, s.request); err != nil {
		return err
	}
	return a.revoked(s, output, true)
}

// revoked tells whether there was a token to revoke.
func (a *app) revoked(s *session, output *outputFlag, done bool) error {
	switch {
	case output.json():
		return a.json(map[string]any{"profile": s.profile.Name, "provider": s.provider.Name(), "revoked": done})
	case done:
		a.note("the token of profile " + s.profile.Name + " is revoked")
	default:
		a.note("there is no token of profile " + s.profile.Name + " here")
	}
	return nil
}

// inspectOptions are the flags of `token inspect`.
type inspectOptions struct {
	serviceFlags
	output outputFlag
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
		Args: arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.begin(&o.output); err != nil {
				return err
			}
			ctx := a.watched(command.Context())
			if o.stdin {
				return a.inspectStdin(ctx, o, args)
			}
			return a.runInspect(ctx, o, args)
		},
		ValidArgsFunction: a.completeProfile,
	}
	o.bind(command.Flags())
	o.output.bind(command.Flags(), "table", "json")
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
	if len(args) > 0 || o.name != "" {
		return usagef("--stdin and a profile do not go together")
	}
	text, err := a.readStdin(ctx, &o.serviceFlags)
	if err != nil {
		return err
	}
	found, ok := findToken(text)
	if !ok {
		return usagef("stdin holds no token, or more than a token can be told from")
	}
	i := decoded(secret.New(found.token))
	i.judge(found.expiry, a.Now())
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
	s, err := a.open(&o.serviceFlags, args)
	if err != nil {
		return err
	}
	_, answer, err := s.present(ctx)
	if err == nil && answer.Token.AccessToken.IsZero() {
		err = oauth.ErrDryRun
	}
	if err != nil {
		return a.dryRan(s, err)
	}
	i := decoded(answer.Token.AccessToken)
	i.Profile, i.Provider = s.profile.Name, s.provider.Name()
	i.Requested, i.Granted = s.profile.Settings.List("scopes"), answer.Token.Scope
	i.ExpiresAt, _, _ = moments(answer.Token.Expiry(), a.Now())
	if i.ExpiresAt != nil {
		i.ends = end(answer.Token.Expiry()) + ", " + expires(answer.Token.Expiry(), a.Now())
	}
	i.SessionID = answer.Token.SessionID
	i.judge(answer.Token.Expiry(), a.Now())
	if id, err := jose.ParseJWT(answer.Token.IDToken); err == nil {
		i.IDToken = id.Claims
	}
	if i.Kind == "jwt" && s.profile.Service.Has(providers.PublicKeys) && s.dryRun == nil {
		err := s.bounded(ctx, sessionOf(answer.Token), func(ctx context.Context, with providers.Session) error {
			return s.provider.Verify(ctx, with.AccessToken)
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
	if o.output.json() {
		return a.json(i)
	}
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			b.WriteString(a.beside(name+"  ", value))
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
	return a.print(b.String())
}

// writeClaims writes claims as a table below their title; no claims write nothing.
func (a *app) writeClaims(w io.Writer, title string, claims json.RawMessage) error {
	if claims == nil {
		return nil
	}
	table, err := claimTable(claims, a.Now())
	if err != nil {
		return err
	}
	if title != "" {
		title = "\n" + a.out.Strong(title)
	}
	if _, err := io.WriteString(w, title+"\n"); err != nil {
		return err
	}
	_, err = a.paint(table).WriteTo(w)
	return err
}
