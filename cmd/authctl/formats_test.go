//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
)

// hostileTokens are made of what a header can carry and a shell, a runner or an agent
// would rather take for something else.
func hostileTokens() []string {
	var every strings.Builder
	for c := byte(0x21); c <= 0x7E; c++ {
		every.WriteByte(c)
	}
	return []string{
		every.String(),
		`'"$HOME` + "`id`" + `\'\\"$(id)${PATH}%25%3B%0A%AZP25%%;]]#!*!!::warning::##vso[task.complete]\`,
		`~root:~/=ls`, // what a shell replaces at the beginning of a word
		`-n\n\t\x41\u0041\101$$'\''"\""`,
		`"`, `'`, `\`,
	}
}

// plainTokens are of the grammar of RFC 6750 §2.1.
func plainTokens() []string {
	return []string{"eyJhbGciOiJub25lIn0.eyJmYWtlIjp0cnVlfQ.c2lnLW5vdF9yZWFs", "a~b=c~d+e/f-._==", "7"}
}

// issues makes Pexip Engage's realm issue this token from now on.
func (p *place) issues(token string, others ...sandbox.Fault) {
	p.t.Helper()
	text, err := json.Marshal(token)
	if err != nil {
		p.t.Fatal(err)
	}
	f := sandbox.Fault{Service: "pexip"}
	if len(others) > 0 {
		f = others[0]
	}
	f.Extra = map[string]json.RawMessage{"access_token": text}
	p.server.ClearFaults()
	p.fault(f)
}

// program runs another program to its end, which finds authctl in its PATH.
func (p *place) program(path string, args ...string) outcome {
	p.t.Helper()
	r := p.prepare(args...)
	r.Env = append(r.Env, "PATH="+filepath.Dir(r.Path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	r.Path, r.Args[0] = path, path
	if err := r.Start(); err != nil {
		p.t.Fatal(err)
	}
	return r.end()
}

// wantSilence requires that a token is not in what was said on stderr.
func wantSilence(t *testing.T, token string, o outcome) {
	t.Helper()
	if len(token) > 1 && strings.Contains(o.stderr, token) {
		t.Errorf("the token is on stderr: %s", o.stderr)
	}
}

// wantRefused requires a format to refuse a token without showing it.
func wantRefused(t *testing.T, token string, o outcome) {
	t.Helper()
	wantFailures(t, 2, []outcome{o})
	if !strings.Contains(o.stderr, "choose another format") {
		t.Errorf("stderr %q does not say what to do", o.stderr)
	}
	wantSilence(t, token, o)
}
