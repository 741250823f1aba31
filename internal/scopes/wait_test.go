package scopes

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/providers"
)

func TestWait(t *testing.T) {
	t.Parallel()
	failed := func(r providers.Reason) error { return fmt.Errorf("asking: %w", &providers.Failure{Reason: r}) }
	for name, c := range map[string]struct {
		got  []string
		err  error
		want Verdict
	}{
		"as requested": {nil, nil, Effective},
		"granted":      {[]string{"b", "a"}, nil, Effective},
		"narrowed":     {[]string{"b"}, nil, NotYet},
		"refused":      {nil, failed(providers.ReasonScope), NotYet},
		"busy":         {nil, failed(providers.ReasonTemporary), NotYet},
		"ambiguous":    {nil, failed(providers.ReasonCredentials), AskWithout},
		"bare 400":     {nil, failed(providers.ReasonConfig), AskWithout},
		"login":        {nil, failed(providers.ReasonLogin), Never},
		"no reply":     {nil, failed(providers.ReasonProtocol), Never},
		"no secret":    {nil, errors.New("no such file"), Never},
	} {
		w := Wait{Scopes: []string{"a"}}
		if got := w.With(c.got, c.err); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestWaitTellsASecretFromAScope(t *testing.T) {
	t.Parallel()
	refused := &providers.Failure{Reason: providers.ReasonCredentials}
	w := Wait{Scopes: []string{"a"}}
	if got := w.Without(refused); got != Never {
		t.Errorf("a wrong secret: %d", got)
	}
	if got := w.Without(&providers.Failure{Reason: providers.ReasonTemporary}); got != NotYet {
		t.Errorf("no answer: %d", got)
	}
	if got := w.With(nil, refused); got != AskWithout {
		t.Errorf("still not known: %d", got)
	}
	if got := w.Without(nil); got != NotYet {
		t.Errorf("right credentials: %d", got)
	}
	if got := w.With(nil, refused); got != NotYet {
		t.Errorf("it asks a second time: %d", got)
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	for asked, seconds := range map[int]int{0: 2, 1: 2, 2: 4, 3: 8, 4: 16, 5: 30, 6: 30, 1000: 30} {
		if got := Pause(asked, nil, now); got.Seconds() != float64(seconds) {
			t.Errorf("%d: %v", asked, got)
		}
	}
	busy := &providers.Failure{NotBefore: now.Add(45 * time.Second)}
	if got := Pause(1, busy, now); got != 45*time.Second {
		t.Errorf("Retry-After: %v", got)
	}
}
