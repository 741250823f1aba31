//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// actionsRunner does what a runner of GitHub Actions does with the output and the files of a step, as far as
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions describes it.
type actionsRunner struct {
	masks []string
	log   strings.Builder
}

// take reads a step's output line by line: a mask counts from the next line on.
func (r *actionsRunner) take(output string) {
	for line := range strings.Lines(output) {
		if data, ok := strings.CutPrefix(strings.TrimSpace(line), "::add-mask::"); ok {
			data = strings.ReplaceAll(strings.ReplaceAll(data, "%0D", "\r"), "%0A", "\n")
			r.masks = append(r.masks, strings.ReplaceAll(data, "%25", "%"))
			line = "::add-mask::***\n"
		}
		for _, mask := range r.masks {
			line = strings.ReplaceAll(line, mask, "***")
		}
		r.log.WriteString(line)
	}
}

// pairs reads a file of variables or outputs: NAME=VALUE lines and here-documents; an empty line is nothing.
func pairs(text string) (map[string]string, error) {
	found := map[string]string{}
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSuffix(lines[i], "\n")
		equals, here := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case line == "":
		case equals >= 0 && (here < 0 || equals < here):
			found[line[:equals]] = line[equals+1:]
		case here > 0:
			name, end := line[:here], line[here+2:]
			var value strings.Builder
			for i++; i < len(lines) && strings.TrimSuffix(lines[i], "\n") != end; i++ {
				value.WriteString(lines[i])
			}
			if i == len(lines) || end == "" {
				return nil, fmt.Errorf("%s: the delimiter does not come back", name)
			}
			found[name] = strings.TrimSuffix(value.String(), "\n")
		default:
			return nil, errors.New("a line is neither a pair nor the beginning of a here-document")
		}
	}
	return found, nil
}

// step is a place in which a step of GitHub Actions runs. Somebody before us has left a line without an end.
func step(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	for name, file := range map[string]string{"GITHUB_ENV": "set_env", "GITHUB_OUTPUT": "set_output"} {
		if err := os.WriteFile(p.path(file), []byte("BEFORE=1"), 0o600); err != nil {
			t.Fatal(err)
		}
		p.set(name + "=" + p.path(file))
	}
	p.set("GITHUB_ACTIONS=true", "CI=true")
	return p
}

// handedOver returns the pairs of a file of the step.
func handedOver(t *testing.T, p *place, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(p.path(file))
	if err != nil {
		t.Fatal(err)
	}
	found, err := pairs(string(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return found
}

func TestGitHubStepHandsTheTokenOver(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		flags      string
		file, name string
		other      string
	}{
		{"", "set_env", "AUTHCTL_TOKEN", "set_output"},
		{"--var CALLS", "set_env", "CALLS", "set_output"},
		{"--github-output", "set_output", "token", "set_env"},
		{"--github-output --var calls_token", "set_output", "calls_token", "set_env"},
	} {
		t.Run(row.file+" "+row.name, func(t *testing.T) {
			t.Parallel()
			p := step(t)
			for _, token := range append(hostileTokens(), plainTokens()...) {
				p.issues(token)
				o := p.run(strings.Fields("token get pexip -o github -v --explain " + row.flags)...)
				wantMaskOnly(t, token, o)
				got := handedOver(t, p, row.file)
				if len(got) != 2 || got["BEFORE"] != "1" || got[row.name] != token {
					t.Errorf("token %q: the next step gets %q", token, got)
				}
			}
			if got := handedOver(t, p, row.other); len(got) != 1 {
				t.Errorf("%s was written to: %q", row.other, got)
			}
		})
	}
}

// wantMaskOnly requires that stdout is the mask alone, and that nothing of the token is in the job's log.
func wantMaskOnly(t *testing.T, token string, o outcome) {
	t.Helper()
	if o.code != 0 || !strings.HasPrefix(o.stdout, "::add-mask::") || strings.Count(o.stdout, "\n") != 1 {
		t.Fatalf("exit code %d, stdout %q, stderr %q; want the mask alone", o.code, o.stdout, o.stderr)
	}
	wantSilence(t, token, o)
	r := &actionsRunner{}
	// The next step shows everything it has.
	r.take(o.stdout)
	r.take(o.stderr + "AUTHCTL_TOKEN=" + token + "\n")
	if len(r.masks) != 1 || r.masks[0] != token {
		t.Errorf("the runner hides %q, want %q", r.masks, token)
	}
	if len(token) > 1 && strings.Contains(r.log.String(), token) {
		t.Errorf("the log shows the token: %s", r.log.String())
	}
}

// TestGitHubFileGetsNoEmptyLine has the file in the states in which others leave it: an empty line is where nektos/act, and
// the runners made of it, stop reading.
func TestGitHubFileGetsNoEmptyLine(t *testing.T) {
	t.Parallel()
	p := step(t)
	p.issues("fake=fake<<fake")
	for before, want := range map[string]string{
		"":               "AUTHCTL_TOKEN=fake=fake<<fake\n",
		"BEFORE=1":       "BEFORE=1\nAUTHCTL_TOKEN=fake=fake<<fake\n",
		"BEFORE=1\n":     "BEFORE=1\nAUTHCTL_TOKEN=fake=fake<<fake\n",
		"BEFORE=1\r\n":   "BEFORE=1\r\nAUTHCTL_TOKEN=fake=fake<<fake\n",
		"A<<E\n1\nE\n\n": "A<<E\n1\nE\n\nAUTHCTL_TOKEN=fake=fake<<fake\n",
	} {
		if err := os.WriteFile(p.path("set_env"), []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		wantMaskOnly(t, "fake=fake<<fake", p.run("token", "get", "pexip", "-o", "github"))
		if text, err := os.ReadFile(p.path("set_env")); err != nil || string(text) != want {
			t.Errorf("%q became %q (%v), want %q", before, text, err, want)
		}
	}
}

// dotenvReport reads a file as https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv says: each
// line is a pair, quotes are kept, blanks at the ends are not, and $ may begin another variable.
func dotenvReport(t *testing.T, text string) map[string]string {
	t.Helper()
	if len(text) >= 5<<10 {
		t.Errorf("GitLab refuses a report of %d bytes", len(text))
	}
	found := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok {
			t.Error("GitLab refuses a line without =")
		}
		found[strings.TrimSpace(name)] = os.Expand(strings.TrimSpace(value), func(string) string { return "" })
	}
	return found
}

func TestGitLabReportIsReadBack(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, token := range plainTokens() {
		p.issues(token)
		o := p.run("token", "get", "pexip", "-o", "gitlab", "--var", "CALLS")
		if got := dotenvReport(t, o.stdout); o.code != 0 || len(got) != 1 || got["CALLS"] != token {
			t.Errorf("exit code %d; the next job gets %q, want %q", o.code, got, token)
		}
		if !strings.HasPrefix(o.stderr, "authctl: warning: GitLab does not hide this variable") {
			t.Errorf("stderr %q does not warn", o.stderr)
		}
		wantSilence(t, token, o)
	}
	for _, token := range append(hostileTokens(), "a$b") {
		p.issues(token)
		wantRefused(t, token, p.run("token", "get", "pexip", "-o", "gitlab"))
	}
	long := strings.Repeat("a", 5<<10)
	p.issues(long)
	if o := p.run("token", "get", "pexip", "-o", "gitlab"); o.code != 0 || !strings.Contains(o.stderr, "GitLab refuses one of 5120 or more") {
		t.Errorf("a report that is too large: exit code %d, stderr %q", o.code, o.stderr)
	}
}

// agentCommand takes a logging command apart as the agent of Azure Pipelines does, see
// https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands and percentEncoding.md among the agent's
// design notes: what was escaped comes back in this order.
func agentCommand(t *testing.T, line string) (name string, properties map[string]string, data string) {
	t.Helper()
	rest, ok := strings.CutPrefix(line, "##vso[")
	head, data, closed := strings.Cut(rest, "]")
	if !ok || !closed {
		t.Fatalf("%q is not a logging command", line)
	}
	unescape := func(s string) string {
		for _, pair := range [][2]string{{"%3B", ";"}, {"%0D", "\r"}, {"%0A", "\n"}, {"%5D", "]"}, {"%AZP25", "%"}} {
			s = strings.ReplaceAll(s, pair[0], pair[1])
		}
		return s
	}
	name, list, _ := strings.Cut(head, " ")
	properties = map[string]string{}
	for property := range strings.SplitSeq(list, ";") {
		key, value, _ := strings.Cut(property, "=")
		properties[key] = unescape(value)
	}
	return name, properties, unescape(data)
}

func TestAzureAgentTakesTheSecret(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set("TF_BUILD=True")
	for _, token := range append(hostileTokens(), plainTokens()...) {
		p.issues(token)
		o := p.run("token", "get", "pexip", "-o", "azure-pipelines", "--var", "Calls")
		if o.code != 0 || o.stderr != "" || strings.Count(o.stdout, "\n") != 1 {
			t.Fatalf("exit code %d, stdout %q, stderr %q; want one line", o.code, o.stdout, o.stderr)
		}
		name, properties, data := agentCommand(t, strings.TrimSuffix(o.stdout, "\n"))
		if name != "task.setvariable" || len(properties) != 2 || properties["variable"] != "Calls" ||
			properties["issecret"] != "true" || data != token {
			t.Errorf("token %q: the agent reads %s %q %q", token, name, properties, data)
		}
	}
}
