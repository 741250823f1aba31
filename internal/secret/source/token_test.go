package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// TestTokensAreFetchedAgain: a process that lives longer than somebody else's token gets another, and asks no person
// twice.
func TestTokensAreFetchedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Unix(1e9, 0)
	asker, asked := &fakeAsker{answer: "typed"}, 0
	f := &Fetcher{
		Env: environment(), Now: func() time.Time { return now }, Prompter: asker,
		Tokens: map[string]Tokens{Profile: {Get: func(_ context.Context, n Need) (secret.Secret, error) {
			asked++
			return secret.New(n.Arg), nil
		}}},
	}
	need := func(kind, arg string, token bool) Need {
		return Need{Profile: "p", Setting: "subject_token", Reference: Reference{Kind: kind, Arg: arg}, Token: token}
	}
	fresh, kept := f.Bind(need("file", path, true)), f.Bind(need("file", path, false))
	behind, typed := f.Bind(need(Profile, "q", true)), f.Bind(need("prompt", "", true))
	write("first")
	for range 2 {
		holds(t, fresh, "first")
		holds(t, kept, "first")
		holds(t, behind, "q")
		holds(t, typed, "typed")
	}
	write("second")
	now = now.Add(tokenKept - time.Second)
	holds(t, fresh, "first")
	now = now.Add(2 * time.Second)
	holds(t, fresh, "second")
	holds(t, kept, "first")
	holds(t, behind, "q")
	holds(t, typed, "typed")
	if asked != 2 || len(asker.labels) != 1 {
		t.Errorf("the profile was asked %d times, and the person %d times", asked, len(asker.labels))
	}
}

// TestTokensThatCannotBeHad: their errors pass as they are, and where nobody knows the kind the error says what for.
func TestTokensThatCannotBeHad(t *testing.T) {
	t.Parallel()
	refusal := errors.New("refused")
	f := &Fetcher{Env: environment(), Tokens: map[string]Tokens{GitHub: {
		Get:  func(context.Context, Need) (secret.Secret, error) { return secret.Secret{}, refusal },
		Look: func(Need) (string, error) { return "", refusal },
	}}}
	need := Need{Profile: "p", Setting: "subject_token", Reference: Reference{Kind: GitHub, Arg: "api"}, Token: true}
	if _, err := f.Bind(need)(t.Context()); err != refusal { //nolint:errorlint // it is not wrapped
		t.Errorf("%v", err)
	}
	if found := f.Inspect(t.Context(), need); !errors.Is(found.Err, refusal) {
		t.Errorf("looked: %v", found.Err)
	}
	need.Kind = AzurePipelines
	_, err := f.Bind(need)(t.Context())
	if e, ok := errors.AsType[*setting.Error](err); !ok || e.Reference != "azure-pipelines:api" || e.Name != "subject_token" {
		t.Errorf("%v", err)
	}
}
