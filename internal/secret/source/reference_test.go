package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/google/go-cmp/cmp"
)

func TestReferenceString(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"env:NAME":              "env:NAME",
		"env: NAME":             "env:NAME",
		"file:~/key.pem":        "file:~/key.pem",
		"file:a\nb":             `file:"a\nb"`,
		"keyring:genesys":       "keyring:genesys",
		"stdin":                 "stdin",
		"prompt":                "prompt",
		"cmd:op":                "cmd:op",
		"cmd:op read fake":      "cmd:op …",
		"cmd:PW=fake mytool":    "cmd:…",
		"cmd:'fake pass' tool":  "cmd:…",
		"cmd:$(echo fake) tool": "cmd:…",
		"env:":                  "none",
		"cmd: ":                 "none",
		"file":                  "none",
		"":                      "none",
		"ENV:NAME":              "none",
		"prompt:x":              "none",
		"fake-secret":           "none",
	}
	for text, want := range tests {
		got := "none"
		if ref, ok := Parse(text); ok {
			got = ref.String()
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

// fetch resolves a reference for the setting client_secret of profile p.
func fetch(t *testing.T, r *Fetcher, text, dir string, env ...string) (secret.Secret, error) {
	t.Helper()
	ref, ok := Parse(text)
	if !ok {
		t.Fatalf("%q is no reference", text)
	}
	ref.Dir = dir
	r.Env = environment(env...)
	return r.Bind(Need{Profile: "p", Setting: "client_secret", Reference: ref})(t.Context())
}

func TestFetch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"plain": "fake", "newline": "fake\n", "crlf": "fake\r\n", "two": "fake\n\n", "empty": "", "blank": "\n",
		"long": strings.Repeat("x", maxSecret+1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	home := "HOME=" + dir
	if filepath.Separator == '\\' {
		home = "USERPROFILE=" + dir
	}
	tests := map[string]struct{ ref, want, err string }{
		"variable":       {"env:A", "fake", ""},
		"variable, line": {"env:B", "fake", ""},
		"no variable":    {"env:C", "", "profile p: client_secret from env:C: the variable is not set"},
		"relative":       {"file:plain", "fake", ""},
		"absolute":       {"file:" + filepath.Join(dir, "plain"), "fake", ""},
		"home":           {"file:~/plain", "fake", ""},
		"newline":        {"file:newline", "fake", ""},
		"crlf":           {"file:crlf", "fake", ""},
		"all newlines":   {"file:two", "fake", ""},
		"empty":          {"file:empty", "", "profile p: client_secret from file:empty: it is empty"},
		"blank":          {"file:blank", "", "profile p: client_secret from file:blank: it is empty"},
		"too long":       {"file:long", "", "profile p: client_secret from file:long: it is too long: more than 1048576 bytes"},
		"a directory":    {"file:.", "", "profile p: client_secret from file:.: it is a directory"},
		"no keyring":     {"keyring:x", "", "profile p: client_secret from keyring:x: there is no keyring here"},
		"no person":      {"prompt", "", "profile p: client_secret from prompt: nobody can be asked here"},
		"no stdin":       {"stdin", "", "profile p: client_secret from stdin: there is no standard input"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := fetch(t, &Fetcher{}, tt.ref, dir, "A=fake", "B=fake\n", home)
			if err != nil || tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("error %v\nwant  %s", err, tt.err)
				}
				return
			}
			if !got.Equal(secret.New(tt.want)) {
				t.Errorf("not %q", tt.want)
			}
		})
	}
	_, err := fetch(t, &Fetcher{}, "file:none", dir)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestFetchAsks(t *testing.T) {
	t.Parallel()
	asker := &fakeAsker{answer: "fake"}
	r := &Fetcher{Keyring: asker, Prompter: asker}
	for _, ref := range []string{"keyring:genesys", "prompt"} {
		got, err := fetch(t, r, ref, "")
		if err != nil || !got.Equal(secret.New("fake")) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if diff := cmp.Diff([]string{"genesys", "client_secret of profile p"}, asker.labels); diff != "" {
		t.Error(diff)
	}
	refusal := errors.New("no input is allowed")
	_, err := fetch(t, &Fetcher{Prompter: &fakeAsker{err: refusal}}, "prompt", "")
	if e, ok := errors.AsType[*setting.Error](err); !ok || !errors.Is(err, refusal) || e.Name != "client_secret" {
		t.Errorf("error %v", err)
	}
	if _, err = fetch(t, &Fetcher{Keyring: &fakeAsker{}}, "keyring:x", ""); err == nil {
		t.Error("an empty secret of the keyring passes")
	}
}

func TestStdin(t *testing.T) {
	t.Parallel()
	r := (&Fetcher{Stdin: strings.NewReader("fake\nlines\r\n"), Env: environment()})
	first, second := r.Bind(Need{Profile: "p", Setting: "client_secret", Reference: Reference{Kind: "stdin"}}), r.Bind(Need{Profile: "p", Setting: "api_key", Reference: Reference{Kind: "stdin"}})
	holds(t, first, "fake\nlines")
	holds(t, first, "fake\nlines")
	_, err := second(t.Context())
	want := "profile p: api_key from stdin: standard input has been read already"
	if err == nil || err.Error() != want {
		t.Errorf("the second reference: %v", err)
	}
	_, err = fetch(t, &Fetcher{Stdin: strings.NewReader("fake"), StdinIsTerminal: true}, "stdin", "")
	if e, ok := errors.AsType[*setting.Error](err); !ok || !strings.Contains(e.Help, "prompt") {
		t.Errorf("a terminal: %v", err)
	}
}

// TestStdinEnds checks that a stdin nobody writes to does not outlast the context.
func TestStdinEnds(t *testing.T) {
	t.Parallel()
	silent, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := (&Fetcher{Stdin: silent, Env: environment()})
	_, err = r.Bind(Need{Profile: "p", Setting: "client_secret", Reference: Reference{Kind: "stdin"}})(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	fetch := once(func() bool { return true }, func(context.Context) (secret.Secret, error) {
		calls.Add(1)
		return secret.New("fake"), nil
	})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if s, err := fetch(t.Context()); err != nil || s.IsZero() {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	if calls.Load() != 1 {
		t.Errorf("%d calls", calls.Load())
	}
}

func TestOnceRemembersErrors(t *testing.T) {
	t.Parallel()
	calls := 0
	refusal := errors.New("no")
	fetch := once(func() bool { return true }, func(ctx context.Context) (secret.Secret, error) {
		calls++
		return secret.Secret{}, cmpErr(ctx.Err(), refusal)
	})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ctx := range []context.Context{ended, t.Context(), t.Context()} {
		if _, err := fetch(ctx); err == nil {
			t.Error("no error")
		}
	}
	if calls < 1 || calls > 2 {
		t.Errorf("%d calls, want the refusal remembered and the ended context not", calls)
	}
	if _, err := fetch(t.Context()); !errors.Is(err, refusal) {
		t.Errorf("error %v", err)
	}
}

// cmpErr returns the first error that is one.
func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
