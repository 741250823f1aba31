package broker_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/tokenkey"
)

// asks is the service of these tests, asked for some scopes.
type asks struct {
	*service
	scopes []string
}

func (a asks) Key() tokenkey.Key {
	i := a.service.Key()
	i.Scopes = a.scopes
	return i
}

func TestWhatAnAnswerLacks(t *testing.T) {
	a, b, c := "a", "b", "c"
	for _, test := range []struct {
		name            string
		asked           []string
		before, granted []string // nil: the reply named none
		first           bool     // there was no token before
		missing, lost   []string
	}{
		{"as asked", []string{a, b}, nil, []string{b, a}, true, nil, nil},
		{"no scope in the reply means as asked", []string{a, b}, nil, nil, true, nil, nil},
		{"one less", []string{a, b}, nil, []string{a}, true, []string{b}, nil},
		{"none", []string{a, b}, nil, []string{}, true, []string{a, b}, nil},
		{"case matters", []string{a}, nil, []string{"A"}, true, []string{a}, nil},
		{"more is no less", []string{a}, nil, []string{a, c}, true, nil, nil},
		{"the scope for all", []string{a, b}, nil, []string{"*"}, true, nil, nil},
		{"nothing asked, nothing said", nil, nil, nil, true, nil, nil},
		{"nothing asked", nil, nil, []string{a}, true, nil, nil},
		{"less than before", nil, []string{a, b}, []string{a}, false, nil, []string{b}},
		{"less than before and than asked", []string{a, b}, []string{a, b}, []string{a}, false, []string{b}, []string{b}},
		{"less than asked before", []string{a, b}, nil, []string{b}, false, []string{a}, []string{a}},
		{"an extra one less", []string{a}, []string{a, c}, []string{a}, false, nil, []string{c}},
		{"nobody knows what came", nil, []string{a}, nil, false, nil, nil},
		{"as before", []string{a, b}, []string{a}, []string{a}, false, []string{b}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			replies := [][]string{test.before, test.granted}
			if test.first {
				replies = replies[1:]
			}
			w.onIssue = func(n int) (oauth.Token, error) {
				token := w.newToken(fmt.Sprint(n), time.Hour)
				token.Scope = replies[n-1]
				return token, nil
			}
			r := broker.Request{Provider: asks{w.service, test.asked}, ForceRefresh: true}
			var answer broker.Answer
			for range replies {
				var err error
				if answer, err = w.Token(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				w.advance(time.Second)
			}
			if !slices.Equal(answer.Missing, test.missing) || !slices.Equal(answer.Lost, test.lost) {
				t.Errorf("missing %q and lost %q, want %q and %q", answer.Missing, answer.Lost, test.missing, test.lost)
			}
			r.ForceRefresh = false
			again, err := w.Token(t.Context(), r)
			if err != nil || again.Source != broker.SourceCache || !slices.Equal(again.Missing, test.missing) || again.Lost != nil {
				t.Errorf("from the cache %+v, %v, want the same missing and nothing lost", again, err)
			}
		})
	}
}
