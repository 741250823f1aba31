package session

import (
	"strings"
	"testing"
)

func TestAnswerIn(t *testing.T) {
	t.Parallel()
	const uri = "http://127.0.0.1:8765/callback"
	const whole, nothing = "the whole address is wanted", "nothing that can be read"
	for text, want := range map[string]string{
		uri + "?code=fake-code&state=s":                  "code=fake-code&state=s",
		"127.0.0.1:8765/callback?code=fake-code&state=s": "code=fake-code&state=s",
		"  '" + uri + "?code=fake-code&state=s'\r":       "code=fake-code&state=s",
		"\ufeff" + uri + "?code=fake-code&state=s\u200b": "code=fake-code&state=s",
		uri + "?error=access_denied&state=s#_=_":         "error=access_denied&state=s",
		"":                                               whole,
		"fake-code":                                      whole,
		"code=fake-code&state=s":                         whole,
		"?code=fake-code&state=s":                        whole,
		"https://id.example/?code=fake":                  whole,
		"https://127.0.0.1:8765/callback?c":              whole,
		"http://127.0.0.1:8766/callback?code=fake-code":  whole,
		"http://127.0.0.1:8765/callback/?code=fake-code": whole,
		"http://localhost:8765/callback?code=fake-code":  whole,
		"http://u:p@127.0.0.1:8765/callback?code=fake":   whole,
		"http://127.0.0.1:8765\u202e/callback?code=fake": whole,
		uri:                    nothing,
		uri + "?":              nothing,
		uri + "?code=%zz":      nothing,
		uri + "?a;b=fake-code": nothing,
	} {
		answer, problem := answerIn(text, uri)
		if got := answer.Encode(); got != want && (problem == "" || !strings.HasPrefix(problem, want)) {
			t.Errorf("%q: %q, %q; want %q", text, got, problem, want)
		}
		if strings.Contains(problem, "fake") {
			t.Errorf("%q is repeated: %q", text, problem)
		}
	}
}
