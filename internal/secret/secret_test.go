package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const hidden = "fake-secret-never-shown"

// exposed and buried are the nestings in which fmt can and cannot call methods.
type exposed struct{ S Secret }

type buried struct {
	s  Secret
	in []map[string]buriedDeeper
}

type buriedDeeper struct{ s Secret }

func nestings() map[string]any {
	s := New(hidden)
	return map[string]any{
		"value":             s,
		"pointer":           &s,
		"field":             exposed{s},
		"pointer to struct": &exposed{s},
		"unexported field":  buried{s: s, in: []map[string]buriedDeeper{{"k": {s}}}},
		"map in slice":      []map[string]exposed{{"k": {s}}},
		"map key":           map[Secret]int{s: 1},
		"any in slice":      []any{s, &s},
		"several":           struct{ A, B Secret }{s, s},
		"error":             fmt.Errorf("wrapped: %w", fmt.Errorf("inner %v", s)),
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	hex := fmt.Sprintf("%x", hidden)
	for name, v := range nestings() {
		var out strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%10.3v"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if data, err := json.Marshal(v); err == nil {
			out.Write(data)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v, slog.Any("w", []any{v}))
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v, slog.Group("g", "v", v))
		out.Write(log.Bytes())
		if text := out.String(); strings.Contains(text, hidden) || strings.Contains(strings.ToLower(text), hex) {
			t.Errorf("%s: the secret is printed:\n%s", name, text)
		}
	}
	if got := fmt.Sprint(New(hidden)); got != "[redacted]" {
		t.Errorf("Sprint gives %q", got)
	}
}

func TestSecretInPanic(t *testing.T) {
	if os.Getenv("OAUTH_TEST_PANIC") != "" {
		s := New(hidden)
		defer func() { panic(fmt.Sprint(recover(), s)) }()
		panic(exposed{s})
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSecretInPanic$")
	cmd.Env = append(os.Environ(), "OAUTH_TEST_PANIC=1", "GOTRACEBACK=all")
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Success() {
		t.Fatalf("the child did not panic: %v\n%s", err, out)
	}
	if strings.Contains(string(out), hidden) || !strings.Contains(string(out), "[redacted]") {
		t.Errorf("panic text:\n%s", out)
	}
}

func TestSecretRoundTrip(t *testing.T) {
	t.Parallel()
	s := New(hidden)
	if s.Reveal() != hidden || s.IsZero() || !s.Equal(New(hidden)) || s.Equal(New("other")) {
		t.Error("a secret does not keep its value")
	}
	if zero := New(""); !zero.IsZero() || zero.Reveal() != "" || zero.Equal(s) {
		t.Error("an empty secret is not the zero Secret")
	}
}
