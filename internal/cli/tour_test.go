package cli

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/providers"
)

func TestTourIsNotContentWithLess(t *testing.T) {
	t.Parallel()
	good := func() stop {
		s := newStop(providers.Service{Name: "pexip"})
		s.calls = [2]printed{{AccessToken: "fake", Source: "issued"}, {AccessToken: "fake", Source: "cache"}}
		s.requests = 1
		return s
	}
	if s := good(); s.checkCalls() != nil {
		t.Errorf("what should be: %v", s.checkCalls())
	}
	for name, change := range map[string]func(*stop){
		"issued twice":  func(s *stop) { s.calls[1].Source = "issued" },
		"never issued":  func(s *stop) { s.calls[0].Source = "cache" },
		"another token": func(s *stop) { s.calls[1].AccessToken = "another" },
		"no token":      func(s *stop) { s.calls[0].AccessToken, s.calls[1].AccessToken = "", "" },
		"two requests":  func(s *stop) { s.requests = 2 },
	} {
		s := good()
		change(&s)
		if s.checkCalls() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTourWantsTheAnswerOfEachService(t *testing.T) {
	t.Parallel()
	const refusal = `{"error":{"code":4,"message":"nobody here: http://127.0.0.1:1/ answered 400"}}`
	for _, row := range []struct {
		service string
		answer  answered
		want    string // empty for an error
	}{
		{"pexip", answered{out: `{"preferred_username":"fake"}`}, "preferred_username fake"},
		{"pexip", answered{out: `{"sub":"fake"}`}, ""},
		{"pexip", answered{out: "fake"}, ""},
		{"pexip", answered{code: 4, err: refusal}, ""},
		{"talkdesk", answered{code: 4, err: refusal}, "exit code 4: nobody here"},
		{"talkdesk", answered{code: 4, err: "fake"}, ""},
		{"talkdesk", answered{code: 8, err: refusal}, ""},
		{"talkdesk", answered{out: `{"sub":"fake"}`}, ""},
		{"qmatic", answered{code: 4, err: refusal}, ""},
	} {
		s := newStop(providers.Service{Name: row.service})
		err := s.learn(row.answer)
		if (err == nil) != (row.want != "") || s.userinfo != row.want {
			t.Errorf("%s, %+v: %q, %v; want %q", row.service, row.answer, s.userinfo, err, row.want)
		}
	}
}

func TestHangingFits(t *testing.T) {
	t.Parallel()
	got := hanging("  scopes    ", strings.Repeat("däta:read ", 30))
	for i, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
		if utf8.RuneCountInString(line) > 80 || i > 0 && !strings.HasPrefix(line, strings.Repeat(" ", 12)+"d") {
			t.Errorf("line %d: %q", i, line)
		}
	}
	if n := strings.Count(got, "däta:read"); n != 30 {
		t.Errorf("%d words of 30", n)
	}
	long := strings.Repeat("x", 100)
	if got := hanging("a ", long); got != "a "+long+"\n" {
		t.Errorf("a word that cannot be broken: %q", got)
	}
}
