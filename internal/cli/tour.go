package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

func (a *app) sandboxTour() *cobra.Command {
	return &cobra.Command{
		Use:   "tour",
		Short: "Show the main job end to end on a sandbox",
		Long: `Show the main job end to end on a sandbox: a token from each service, the second call
served from the cache, the scopes granted, who the token speaks for, and sign-out. It
runs the real commands with a private configuration and store, and nothing leaves this
machine. A step that does not go as it should is an error.`,
		Args: arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			if err := a.begin(nil); err != nil {
				return err
			}
			return a.tour(a.watched(command.Context()))
		},
	}
}

// stop is one service of the tour: what is asked with which profile, and what has to
// come of it.
type stop struct {
	service providers.Service
	profile string
	view    string   // of userinfo
	claims  []string // of userinfo, that are shown
	code    int      // userinfo's exit code: some have no answer, and say so
	signout string   // part of what sign-out says

	calls    [2]printed
	took     [2]time.Duration
	requests int
	userinfo string
}

// newStop chooses the profile that shows most of a service without a browser.
func newStop(service providers.Service) stop {
	s := stop{service: service, profile: service.Name, signout: " is forgotten here, but stays valid until "}
	switch service.Name {
	case "pexip":
		s.profile, s.claims, s.signout = "pexip-openid", []string{"preferred_username"}, ": revoked the token"
	case "talkdesk":
		s.code = kinds()["auth"].code
	case "qmatic":
		s.code = kinds()["unsupported"].code
	case "genesys":
		s.profile, s.view, s.claims = "genesys-password", "openid", []string{"given_name", "family_name", "email"}
		s.signout = ": ended this session"
	}
	return s
}

func (a *app) tour(ctx context.Context) error {
	room, err := newRoom(sandbox.Options{})
	if err != nil {
		return err
	}
	defer room.close()
	stops := []stop{}
	for _, service := range a.services {
		s := newStop(service)
		if err := a.visit(ctx, room, &s); err != nil {
			return fmt.Errorf("the tour ends at %s: %w", service.Title, err)
		}
		stops = append(stops, s)
	}
	farewell, err := a.leave(ctx, room, stops)
	if err != nil {
		return fmt.Errorf("the tour ends at the sign-out: %w", err)
	}
	return a.print(a.tale(room, stops, farewell))
}

// visit gets a token twice, as two calls of the command would, then asks who it
// speaks for.
func (a *app) visit(ctx context.Context, room *room, s *stop) error {
	for i := range s.calls {
		began := time.Now()
		answer := a.again(ctx, room, "token", "get", s.profile, "--output", "json")
		s.took[i] = time.Since(began)
		if err := answer.read(&s.calls[i]); err != nil {
			return err
		}
	}
	for _, r := range room.server.Requests() {
		if r.Service == s.service.Name {
			s.requests++
		}
	}
	if err := s.checkCalls(); err != nil {
		return err
	}
	args := []string{"userinfo", s.profile, "--output", "json"}
	if s.view != "" {
		args = append(args, "--view", s.view)
	}
	return s.learn(a.again(ctx, room, args...))
}

// checkCalls returns an error unless one request was enough for both calls.
func (s *stop) checkCalls() error {
	first, second := s.calls[0], s.calls[1]
	if first.Source == "issued" && second.Source == "cache" && s.requests == 1 &&
		first.AccessToken != "" && first.AccessToken == second.AccessToken {
		return nil
	}
	return fmt.Errorf("token get %s: the first token was %s, the second %s, with %d requests",
		s.profile, first.Source, second.Source, s.requests)
}

// learn keeps what userinfo said: some claims, or why there are none.
func (s *stop) learn(answer answered) error {
	if answer.code != s.code {
		return answer.problem()
	}
	if s.code != 0 {
		var failure struct{ Error struct{ Message string } }
		if err := json.Unmarshal([]byte(answer.err), &failure); err != nil || failure.Error.Message == "" {
			return answer.problem()
		}
		// Where it was said, and in which words, is more than fits here.
		reason, _, _ := strings.Cut(failure.Error.Message, ": http")
		s.userinfo = fmt.Sprintf("exit code %d: %s", s.code, reason)
		return nil
	}
	claims := map[string]any{}
	if err := answer.read(&claims); err != nil {
		return err
	}
	var shown []string
	for _, name := range s.claims {
		text, ok := claims[name].(string)
		if !ok || text == "" {
			return fmt.Errorf("authctl userinfo %s: the answer has no %s", s.profile, name)
		}
		shown = append(shown, name+" "+text)
	}
	s.userinfo = strings.Join(shown, ", ")
	return nil
}

// leave signs out of all and returns what that says, in an order that does not change.
func (a *app) leave(ctx context.Context, room *room, stops []stop) ([]string, error) {
	answer := a.again(ctx, room, "signout", "--all")
	if answer.code != 0 {
		return nil, answer.problem()
	}
	lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(answer.err), "authctl: ", ""), "\n")
	slices.Sort(lines)
	for _, s := range stops {
		said := func(line string) bool { return strings.Contains(line, s.profile+s.signout) }
		if !slices.ContainsFunc(lines, said) {
			return nil, fmt.Errorf("authctl signout --all does not say %q", s.profile+s.signout)
		}
	}
	var left struct{ Tokens []any }
	if err := a.again(ctx, room, "token", "list", "--output", "json").read(&left); err != nil {
		return nil, err
	}
	if len(left.Tokens) > 0 {
		return nil, fmt.Errorf("%d tokens are left after authctl signout --all", len(left.Tokens))
	}
	return lines, nil
}

// answered is how a command of the tour ended.
type answered struct {
	command  string
	code     int
	out, err string
}

// again runs authctl inside the room.
func (a *app) again(ctx context.Context, room *room, args ...string) answered {
	var out, err bytes.Buffer
	settings := room.settings()
	code := Main(ctx, Dependencies{
		Args: args,
		Streams: term.Streams{
			In: strings.NewReader(""), Out: &out, Err: &err,
		},
		LookupEnv: func(name string) (string, bool) {
			if value, ok := settings[name]; ok || strings.HasPrefix(name, "AUTHCTL_") {
				return value, ok
			}
			return a.LookupEnv(name)
		},
		Now: a.Now,
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

// tale is what the tour prints.
func (a *app) tale(room *room, stops []stop, farewell []string) string {
	var b strings.Builder
	b.WriteString("A sandbox of Pexip Engage, Talkdesk, Qmatic and Genesys listens at\n")
	fmt.Fprintf(&b, "%s; nothing leaves this machine.\n\n", room.server.URL())
	fmt.Fprintf(&b, "%s   # twice\n", a.out.Strong("$ authctl token get PROFILE"))
	fmt.Fprintf(&b, "%s\n\n", a.out.Strong("$ authctl userinfo PROFILE"))
	for _, s := range stops {
		b.WriteString(a.out.Strong(s.profile) + " at " + s.service.Title + "\n")
		for _, item := range s.items() {
			b.WriteString(hanging("  "+fmt.Sprintf("%-10s", item[0]), item[1]))
		}
	}
	b.WriteString("\n" + a.out.Strong("$ authctl signout --all") + "\n")
	for _, line := range farewell {
		b.WriteString(hanging("  ", line))
	}
	listing := []string{
		"", a.out.Strong("Go on with:"),
		"  authctl sandbox run -- sh             a shell with these profiles and more",
		"  authctl login genesys-login           in that shell: log in with the browser",
		"  authctl providers show talkdesk       what a profile of a real service needs",
		"  authctl profile add calls             make one",
		"  TOKEN=$(authctl token get calls)      use it",
	}
	b.WriteString(strings.Join(listing, "\n") + "\n")
	return b.String()
}

// items are the lines of a stop, name and text.
func (s *stop) items() [][2]string {
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

// hanging writes text behind a head, in lines of 80 columns, the second and later
// ones indented.
func hanging(head, text string) string {
	const columns = 80
	var b strings.Builder
	line, empty := head, true
	for word := range strings.FieldsSeq(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns {
			b.WriteString(line + "\n")
			line, empty = strings.Repeat(" ", max(utf8.RuneCountInString(head), 4)), true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	return b.String() + line + "\n"
}
