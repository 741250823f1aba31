package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

func (a *app) sandboxTour() *cobra.Command {
	return &cobra.Command{
		Use:   "tour",
		Short: "Show the main job end to end on a sandbox",
		Long: `Show the main job end to end on a sandbox: a token from each service, and the second
call served from the cache. It uses a private configuration and store, and nothing
leaves this machine.`,
		Args: arguments(0, 0, ""),
		RunE: func(command *cobra.Command, _ []string) error {
			if err := a.begin(nil); err != nil {
				return err
			}
			return a.tour(a.watched(command.Context()))
		},
	}
}

// stop is one profile of the tour: the same command twice.
type stop struct {
	first, second printed
	took          [2]time.Duration
	requests      int
}

func (a *app) tour(ctx context.Context) error {
	room, err := newRoom()
	if err != nil {
		return err
	}
	defer room.close()
	table := term.Table{Header: []string{"PROFILE", "FIRST CALL", "SECOND CALL", "REQUESTS", "LIFE", "TOKEN"}}
	stops := []stop{}
	for _, service := range a.services {
		s, err := a.visit(ctx, room, service.Name)
		if err != nil {
			return err
		}
		stops = append(stops, s)
		table.Rows = append(table.Rows, s.row())
	}
	if err := a.tell(room, table); err != nil {
		return err
	}
	return complaint(stops)
}

// visit gets a token twice, as two calls of the command would.
func (a *app) visit(ctx context.Context, room *room, profile string) (stop, error) {
	s := stop{}
	for i, to := range []*printed{&s.first, &s.second} {
		began := time.Now()
		answer, err := a.again(ctx, room, "token", "get", profile, "--output", "json")
		if err != nil {
			return s, err
		}
		s.took[i] = time.Since(began)
		if err := json.Unmarshal(answer, to); err != nil {
			return s, fmt.Errorf("reading the answer of token get %s: %w", profile, err)
		}
	}
	for _, r := range room.server.Requests() {
		if r.Service == profile {
			s.requests++
		}
	}
	return s, nil
}

// again runs authctl inside the room and returns what it prints.
func (a *app) again(ctx context.Context, room *room, args ...string) ([]byte, error) {
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
	if code != 0 {
		return nil, fmt.Errorf("authctl %s ended with exit code %d: %s",
			strings.Join(args, " "), code, strings.TrimSpace(err.String()))
	}
	return out.Bytes(), nil
}

func (s stop) row() []string {
	life := ""
	if s.first.ExpiresIn != nil {
		// Seconds left were cut to whole ones a moment after it was issued.
		life = fmt.Sprintf("%d s", *s.first.ExpiresIn+1)
	}
	call := func(p printed, took time.Duration) string {
		return fmt.Sprintf("%-6s %4.1f ms", p.Source, float64(took.Microseconds())/1000)
	}
	return []string{
		s.first.Profile, call(s.first, s.took[0]), call(s.second, s.took[1]),
		fmt.Sprint(s.requests), life, beginning(s.first.AccessToken),
	}
}

// beginning shows that there is a token without showing it.
func beginning(token string) string {
	return token[:min(len(token), 8)] + "…"
}

func (a *app) tell(room *room, table term.Table) error {
	var b strings.Builder
	b.WriteString("A sandbox of Pexip Engage, Talkdesk, Qmatic and Genesys listens at\n")
	fmt.Fprintf(&b, "%s; nothing leaves this machine.\n\n", room.server.URL())
	fmt.Fprintf(&b, "%s   # twice for each service\n\n", a.out.Strong("$ authctl token get PROFILE"))
	if _, err := a.paint(table).WriteTo(&b); err != nil {
		return err
	}
	listing := []string{
		"", a.out.Strong("Go on with:"),
		"  authctl sandbox run -- sh             a shell with these profiles",
		"  authctl providers show talkdesk       what a profile of a real service needs",
		"  authctl profile add calls             make one",
		"  TOKEN=$(authctl token get calls)      use it",
	}
	b.WriteString(strings.Join(listing, "\n") + "\n")
	return a.print(b.String())
}

// complaint is an error when the tour did not show what it is there to show.
func complaint(stops []stop) error {
	var all []error
	for _, s := range stops {
		if s.first.Source != "issued" || s.second.Source != "cache" || s.requests != 1 ||
			s.first.AccessToken != s.second.AccessToken {
			all = append(all, fmt.Errorf("%s: %s, then %s, with %d requests",
				s.first.Profile, s.first.Source, s.second.Source, s.requests))
		}
	}
	return errors.Join(all...)
}
