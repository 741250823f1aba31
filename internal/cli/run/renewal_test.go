package run

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/term"
)

// newRenewal returns what renews a token of the sandbox's profile pexip, with a clock that only waiting moves.
func newRenewal(t *testing.T) (r *renewal, server *sandbox.Server, clock *time.Time, said *strings.Builder) {
	t.Helper()
	dir := t.TempDir()
	server = sandbox.New(sandbox.Options{})
	if err := server.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	if err := server.WriteConfig(filepath.Join(dir, "config.yaml")); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	clock, said = &now, &strings.Builder{}
	settings := map[string]string{
		"AUTHCTL_CONFIG": filepath.Join(dir, "config.yaml"), "AUTHCTL_STORE": "memory",
		"AUTHCTL_RUNTIME_DIR": dir, "HOME": dir, "XDG_RUNTIME_DIR": dir,
	}
	d := verb.New(t.Context(), verb.World{
		Streams:   term.Streams{In: strings.NewReader(""), Out: io.Discard, Err: said},
		LookupEnv: func(name string) (string, bool) { text, ok := settings[name]; return text, ok },
		Now:       func() time.Time { return *clock },
	}, builtin.Services(), "")
	c, err := d.Open(&verb.Service{}, []string{"pexip"})
	if err != nil {
		t.Fatal(err)
	}
	c.Unwatched()
	file, err := newTokenFile(d.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(file.remove)
	wait := func(ctx context.Context, due time.Time) error {
		if due.After(*clock) {
			*clock = due
		}
		return ctx.Err()
	}
	return &renewal{Deps: d, client: c, file: file, wait: wait}, server, clock, said
}

// TestRenewalEndsWithARefusal: a wrong password must not be sent again and again.
func TestRenewalEndsWithARefusal(t *testing.T) {
	t.Parallel()
	r, server, _, said := newRenewal(t)
	answer, err := r.client.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := server.AddFault(sandbox.Fault{Service: "pexip", Status: 401}); err != nil {
		t.Fatal(err)
	}
	before := len(server.Requests())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waits, wait := 0, r.wait
	r.wait = func(ctx context.Context, due time.Time) error {
		if waits++; waits == 10 {
			cancel()
		}
		return wait(ctx, due)
	}
	r.keepFresh(ctx, answer)
	if n := len(server.Requests()) - before; n != 1 || ctx.Err() != nil {
		t.Errorf("%d requests and %d waits after a refusal, want 1 and an end", n, waits)
	}
	if n := strings.Count(said.String(), "is not renewed any more: "); n != 1 {
		t.Errorf("the refusal is told %d times: %s", n, said)
	}
}

// TestRenewalWaitsLonger has no usable answer for an hour after the token has expired.
func TestRenewalWaitsLonger(t *testing.T) {
	t.Parallel()
	r, server, clock, _ := newRenewal(t)
	answer, err := r.client.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Unlike a 503, this is not repeated by the client itself.
	notJSON := "somebody else's page"
	if err := server.AddFault(sandbox.Fault{Service: "pexip", Body: &notJSON}); err != nil {
		t.Fatal(err)
	}
	*clock = answer.Token.Expiry()
	end := clock.Add(time.Hour)
	before := len(server.Requests())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waits, wait := 0, r.wait
	r.wait = func(ctx context.Context, due time.Time) error {
		if waits++; due.After(end) || waits == 500 {
			cancel()
		}
		return wait(ctx, due)
	}
	r.keepFresh(ctx, answer)
	if n := len(server.Requests()) - before; waits > 130 || n > 130 || n < 5 {
		t.Errorf("%d attempts and %d requests in an hour", waits, n)
	}
}
