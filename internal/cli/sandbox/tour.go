package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// tour is `sandbox tour`: the program's own commands on a private sandbox.
type tour struct {
	*verb.Deps
	private *private
	steps   []step
	// signouts are the lines that the sign-out says, in an order that does not change.
	signouts []string
}

func newTour(d *verb.Deps) *cobra.Command {
	t := &tour{Deps: d}
	return d.Command(cobra.Command{
		Use:   "tour",
		Short: "Show the main job end to end on a sandbox",
		Long: `Show the main job end to end on a sandbox: a token from each service, the second call
served from the cache, the scopes granted, who the token speaks for, and sign-out. It
runs the real commands with a private configuration and store, and nothing leaves this
machine. A step that does not go as it should is an error.`,
	}, verb.Flags{Watched: true}, t.run)
}

// step is one service of the tour: which profile shows most of it without a browser,
// and what came of it.
type step struct {
	service providers.Spec
	profile string
	view    string // of userinfo

	calls    [2]formats.Token
	took     [2]time.Duration
	requests int
	userinfo string
}

func newStep(service providers.Spec) step {
	switch service.Name {
	case "pexip":
		return step{service: service, profile: "pexip-openid"}
	case "genesys":
		return step{service: service, profile: "genesys-password", view: "openid"}
	case "oauth2":
		return step{service: service, profile: "oauth2-password"}
	}
	return step{service: service, profile: service.Name}
}

func (t *tour) run(ctx context.Context, _ []string) error {
	private, err := newPrivate(sandbox.Options{})
	if err != nil {
		return err
	}
	defer private.close()
	t.private = private
	for _, service := range t.Services() {
		s := newStep(service)
		if err := t.take(ctx, &s); err != nil {
			return fmt.Errorf("the tour ends at %s: %w", service.Title, err)
		}
		t.steps = append(t.steps, s)
	}
	signout := t.again(ctx, "signout", "--all")
	if signout.code != 0 {
		return fmt.Errorf("the tour ends at the sign-out: %w", signout.problem())
	}
	t.signouts = strings.Split(strings.ReplaceAll(strings.TrimSpace(signout.err), "authctl: ", ""), "\n")
	slices.Sort(t.signouts)
	return t.UI.Print(t.shown())
}

// take gets a token twice, as two calls of the command would, then asks who it
// speaks for.
func (t *tour) take(ctx context.Context, s *step) error {
	for i := range s.calls {
		began := time.Now()
		answer := t.again(ctx, "token", "get", s.profile, "--output", "json")
		s.took[i] = time.Since(began)
		if err := answer.read(&s.calls[i]); err != nil {
			return err
		}
	}
	for _, r := range t.private.server.Requests() {
		if r.Service == s.service.Name {
			s.requests++
		}
	}
	args := []string{"userinfo", s.profile, "--output", "json"}
	if s.view != "" {
		args = append(args, "--view", s.view)
	}
	var err error
	s.userinfo, err = t.again(ctx, args...).userinfo()
	return err
}

// userinfo is what userinfo said: who it is, or why nobody knows.
func (c answered) userinfo() (string, error) {
	if c.code != 0 {
		var failure struct{ Error struct{ Message string } }
		if err := json.Unmarshal([]byte(c.err), &failure); err != nil {
			return "", c.problem()
		}
		// Where it was said, and in which words, is more than fits here.
		reason, _, _ := strings.Cut(failure.Error.Message, ": http")
		return fmt.Sprintf("exit code %d: %s", c.code, reason), nil
	}
	claims := map[string]any{}
	if err := c.read(&claims); err != nil {
		return "", err
	}
	var shown []string
	for _, name := range []string{"preferred_username", "given_name", "family_name", "email", "sub"} {
		// The subject is for where nothing else says who it is.
		if text, ok := claims[name].(string); ok && (name != "sub" || shown == nil) {
			shown = append(shown, name+" "+text)
		}
	}
	return strings.Join(shown, ", "), nil
}

// answered is how a command of the tour ended.
type answered struct {
	command  string
	code     int
	out, err string
}

// again runs authctl on the tour's own sandbox.
func (t *tour) again(ctx context.Context, args ...string) answered {
	var out, err bytes.Buffer
	settings := t.private.settings()
	code := t.Again(ctx, verb.World{
		Args:    args,
		Streams: term.Streams{In: strings.NewReader(""), Out: &out, Err: &err},
		LookupEnv: func(name string) (string, bool) {
			if value, ok := settings[name]; ok || strings.HasPrefix(name, "AUTHCTL_") {
				return value, ok
			}
			return t.LookupEnv(name)
		},
		Now: t.Now,
	})
	return answered{"authctl " + strings.Join(args, " "), code, out.String(), err.String()}
}

// read decodes the JSON of a command that succeeded.
func (c answered) read(to any) error {
	if c.code != 0 {
		return c.problem()
	}
	if err := json.Unmarshal([]byte(c.out), to); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", c.command, err)
	}
	return nil
}

func (c answered) problem() error {
	return fmt.Errorf("%s ended with exit code %d: %s", c.command, c.code, strings.TrimSpace(c.err))
}

// shown is what the tour prints.
func (t *tour) shown() string {
	var b strings.Builder
	b.WriteString("A sandbox of Pexip Engage, Talkdesk, Qmatic, Genesys and an OAuth 2.0 issuer\n")
	fmt.Fprintf(&b, "listens at %s; nothing leaves this machine.\n\n", t.private.server.URL())
	fmt.Fprintf(&b, "%s   # twice\n", t.UI.Out.Strong("$ authctl token get PROFILE"))
	fmt.Fprintf(&b, "%s\n\n", t.UI.Out.Strong("$ authctl userinfo PROFILE"))
	for _, s := range t.steps {
		b.WriteString(t.UI.Out.Strong(s.profile) + " at " + s.service.Title + "\n")
		for _, item := range s.items() {
			b.WriteString(t.UI.Hang("  "+fmt.Sprintf("%-10s", item[0]), item[1]))
		}
	}
	b.WriteString("\n" + t.UI.Out.Strong("$ authctl signout --all") + "\n")
	for _, line := range t.signouts {
		b.WriteString(t.UI.Hang("  ", line))
	}
	listing := []string{
		"", t.UI.Out.Strong("Go on with:"),
		"  authctl sandbox run -- sh             a shell with these profiles and more",
		"  authctl login genesys-login           in that shell: log in with the browser",
		"  authctl login oauth2-device           in that shell: log in on another device",
		"  authctl providers show talkdesk       what a profile of a real service needs",
		"  authctl profile add calls             make one",
		"  TOKEN=$(authctl token get calls)      use it",
	}
	b.WriteString(strings.Join(listing, "\n") + "\n")
	return b.String()
}

// items are the lines of a step, name and text.
func (s *step) items() [][2]string {
	token, life := s.calls[0], ""
	if token.ExpiresIn != nil {
		// Seconds left were cut to whole ones a moment after it was issued.
		life = fmt.Sprintf(", good for %d s", *token.ExpiresIn+1)
	}
	return [][2]string{
		{"token", beginning(token.AccessToken) + life},
		{"calls", fmt.Sprintf("issued in %s, then from the cache in %s; requests: %d",
			milliseconds(s.took[0]), milliseconds(s.took[1]), s.requests)},
		{"scopes", token.Scope},
		{"userinfo", s.userinfo},
	}
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// beginning shows that there is a token without showing it.
func beginning(token string) string {
	return token[:min(len(token), 8)] + "…"
}
