//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/testneed"
)

// evaluator is a program that takes a format in and shows the environment that a child of it would get.
type evaluator struct {
	name string
	// arguments are the program and all that comes before the flags of authctl.
	arguments []string
}

// The environment that a child gets is what counts, so a child prints it.
const (
	evaluatePOSIX = `lines=$(authctl token get pexip -o env "$@") || exit; eval "$lines" || exit 9; exec env -0`
	evaluateFish  = `authctl token get pexip -o fish $argv | source; or exit 9; exec env -0`
	readPOSIX     = `set -a; . ./token.env || exit 9; exec env -0`
)

func evaluators(script string) []evaluator {
	return []evaluator{
		{"bash", []string{"bash", "--norc", "-c", script, "-"}},
		{"dash", []string{"dash", "-c", script, "-"}},
		{"zsh", []string{"zsh", "-f", "-c", script, "-"}},
		{"busybox", []string{"busybox", "sh", "-c", script, "-"}},
	}
}

// evaluate runs a shell and returns the environment that its child saw.
func (p *place) evaluate(t *testing.T, e evaluator, flags ...string) map[string]string {
	t.Helper()
	o := p.program(testneed.Program(t, e.arguments[0]), append(e.arguments[1:], flags...)...)
	if o.code != 0 || o.stderr != "" {
		t.Fatalf("%s: exit code %d, stderr %q", e.name, o.code, o.stderr)
	}
	return environment(o.stdout)
}

// environment reads what env -0 prints.
func environment(text string) map[string]string {
	found := map[string]string{}
	for entry := range strings.SplitSeq(text, "\x00") {
		name, value, _ := strings.Cut(entry, "=")
		found[name] = value
	}
	return found
}

func TestShellsEvaluateAnyToken(t *testing.T) {
	t.Parallel()
	fish := evaluator{"fish", []string{"fish", "--no-config", "-c", evaluateFish, "--"}}
	for _, shell := range append(evaluators(evaluatePOSIX), fish) {
		t.Run(shell.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.set("AUTHCTL_TOKEN_EXPIRES_ON=1", "MINE_EXPIRES_ON=1")
			for _, token := range append(hostileTokens(), plainTokens()...) {
				p.issues(token)
				got := p.evaluate(t, shell)
				if got["AUTHCTL_TOKEN"] != token || got["AUTHCTL_TOKEN_TYPE"] != "Bearer" || len(got["AUTHCTL_TOKEN_EXPIRES_ON"]) < 10 {
					t.Errorf("token %q: got %q, type %q, expiry %q", token, got["AUTHCTL_TOKEN"], got["AUTHCTL_TOKEN_TYPE"],
						got["AUTHCTL_TOKEN_EXPIRES_ON"])
				}
			}
			// Of a token without a lifetime nothing may be left of an earlier one's.
			p.issues("fake", sandbox.Fault{Service: "pexip", ExpiresIn: json.RawMessage(`"missing"`)})
			got := p.evaluate(t, shell, "-q", "--var", "MINE")
			if _, left := got["MINE_EXPIRES_ON"]; left || got["MINE"] != "fake" || got["AUTHCTL_TOKEN_EXPIRES_ON"] != "1" {
				t.Errorf("--var MINE and no lifetime: %q, expiry left: %t", got["MINE"], left)
			}
			// Nor is it a failure that there was none.
			if got := p.evaluate(t, shell, "-q", "--var", "OTHER"); got["OTHER"] != "fake" {
				t.Errorf("--var OTHER: %q", got["OTHER"])
			}
		})
	}
}

// TestShellsGoOnWithNoOldToken has a token from before in the environment, and a call that fails: what README shows must
// neither keep it nor succeed.
func TestShellsGoOnWithNoOldToken(t *testing.T) {
	t.Parallel()
	const posix = `eval "$(authctl token get "$@" -o env)" && exit 8; exec env -0`
	fish := evaluator{"fish", []string{
		"fish", "--no-config", "-c",
		`authctl token get $argv -o fish | source; and exit 8; exec env -0`, "--",
	}}
	stopping := evaluator{"set -e", []string{"sh", "-c", `set -e; eval "$(authctl token get "$@" -o env)"; exit 8`, "-"}}
	p := newPlace(t)
	p.set("AUTHCTL_TOKEN=fake-old", "AUTHCTL_TOKEN_TYPE=old", "AUTHCTL_TOKEN_EXPIRES_ON=1", "MINE=fake-old")
	for _, shell := range append(evaluators(posix), fish) {
		program := testneed.Program(t, shell.arguments[0])
		for _, args := range []string{
			"nobody", "pexip --nonsense", "pexip --timeout 0", "pexip --store nowhere", "pexip another", "pexip --require-scope other",
			"pexip --var 1", "nobody --var MINE",
		} {
			o := p.program(program, append(shell.arguments[1:], strings.Fields(args)...)...)
			got, name := environment(o.stdout), "AUTHCTL_TOKEN"
			if strings.Contains(args, "MINE") {
				name = "MINE"
			}
			if _, left := got[name]; left || o.code != 0 || !strings.Contains(o.stderr, "authctl: error: ") {
				t.Errorf("%s, %s: exit code %d, the old token is left: %t; stderr %q", shell.name, args, o.code, left, o.stderr)
			}
			if _, left := got[name+"_EXPIRES_ON"]; left {
				t.Errorf("%s, %s: the old expiry is left", shell.name, args)
			}
		}
	}
	if o := p.program(testneed.Program(t, "sh"), append(stopping.arguments[1:], "nobody")...); o.code != 1 {
		t.Errorf("set -e: exit code %d, want 1", o.code)
	}
}

// dotenvReaders are programs that read token.env, each with a rule of its own.
func dotenvReaders(t *testing.T) []evaluator {
	t.Helper()
	dir := filepath.Join(testneed.Root(t), "test", "dotenv")
	_, err := os.Stat(filepath.Join(dir, "node_modules", "dotenv", "package.json"))
	testneed.Need(t, "the npm package dotenv", err)
	node := "node"
	if own := filepath.Join(dir, ".node", "node_modules", ".bin", "node"); fileExists(own) {
		node = own
	}
	const show = `process.stdout.write(Object.entries(process.env).map(([k, v]) => k + "=" + v).join("\0"))`
	load := "require(" + quoteJSON(filepath.Join(dir, "node_modules", "dotenv")) + `).config({path: "token.env", quiet: true});`
	return append(evaluators(readPOSIX),
		evaluator{name: "node --env-file", arguments: []string{node, "--env-file=token.env", "-e", show}},
		evaluator{name: "npm dotenv", arguments: []string{node, "-e", load + show}})
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestReadersOfDotenvFilesAgree(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	readers := dotenvReaders(t)
	for _, token := range plainTokens() {
		p.issues(token)
		o := p.run("token", "get", "pexip", "-o", "dotenv")
		if o.code != 0 || o.stderr != "" {
			t.Fatalf("exit code %d, stderr %q", o.code, o.stderr)
		}
		if err := os.WriteFile(p.path("token.env"), []byte(o.stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, reader := range readers {
			wantPairs(t, reader.name, token, p.evaluate(t, reader))
		}
		wantPairs(t, "docker run --env-file", token, dockerEnvFile(t, o.stdout))
	}
}

func wantPairs(t *testing.T, reader, token string, got map[string]string) {
	t.Helper()
	if got["AUTHCTL_TOKEN"] != token || got["AUTHCTL_TOKEN_TYPE"] != "Bearer" || len(got["AUTHCTL_TOKEN_EXPIRES_ON"]) != 10 {
		t.Errorf("%s read %q, type %q, expiry %q; want %q", reader, got["AUTHCTL_TOKEN"], got["AUTHCTL_TOKEN_TYPE"],
			got["AUTHCTL_TOKEN_EXPIRES_ON"], token)
	}
}

// dockerEnvFile reads a file as https://docs.docker.com/reference/cli/docker/container/run/#env says: blanks in front
// of a line are cut, lines that begin with # are comments, and a value is taken as it is, its quotes included.
func dockerEnvFile(t *testing.T, text string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimLeftFunc(strings.TrimSuffix(line, "\n"), unicode.IsSpace)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.ContainsFunc(name, unicode.IsSpace) {
			t.Errorf("docker refuses a line of %d bytes", len(line))
		}
		found[name] = value
	}
	return found
}

func TestDotenvRefusesWhatReadersTakeDifferently(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, token := range append(hostileTokens(), "~root", "a#b", "a$b", "a'", "12|fake") {
		p.issues(token)
		wantRefused(t, token, p.run("token", "get", "pexip", "-o", "dotenv"))
	}
}
