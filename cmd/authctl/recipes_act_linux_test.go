package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/testneed"
	"go.yaml.in/yaml/v3"
)

// act runs a workflow with nektos/act on this machine itself and returns the log, and whether the job succeeded.
//
// It is the recipe that runs: act skips actions/checkout, which would only download what it copies from the checkout, and
// tools/curl hands the installer the release that it would download. AUTHCTL_BASE_URL replaces the service's host.
func (r *runner) act(t *testing.T, workflow string) (string, bool) {
	t.Helper()
	act := filepath.Join(testneed.Root(t), ".bin", "act")
	_, err := os.Stat(act)
	testneed.Need(t, "act", err)
	if err := os.MkdirAll(r.path("checkout/.github/workflows"), 0o700); err != nil {
		t.Fatal(err)
	}
	r.write(t, "checkout/.github/workflows/report.yml", workflow, 0o600)
	args := []string{
		"workflow_dispatch", "-P", "ubuntu-latest=-self-hosted", "--no-cache-server",
		"--var", "TALKDESK_CLIENT_ID=" + r.variables["id"], "--secret", "TALKDESK_CLIENT_SECRET",
	}
	for _, entry := range r.env {
		if !strings.HasPrefix(entry, "PATH=") { // a step's PATH is act's own, and what steps put before it
			args = append(args, "--env", entry)
		}
	}
	// The steps get what --env names and nothing else of this environment but PATH.
	env := append(slices.Clone(r.env), "HOME="+r.path("home"), "ACT_DISABLE_VERSION_CHECK=1",
		"TALKDESK_CLIENT_SECRET="+r.secrets["secret"])
	return r.real(t, env, act, args...)
}

// TestRecipeInAct runs the recipe for GitHub Actions as it stands, with programs that do all they can to show the token.
func TestRecipeInAct(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.talkative(t)
	log, ok := r.act(t, recipeText(t, "github-actions.yml"))
	if !ok {
		t.Errorf("the job failed:\n%s", log)
	}
	r.wantHandedOver(t, "reported", "uploaded")
	r.wantHidden(t, nil)
	for _, want := range []string{"reporting with ***", "uploading with ***", "+ echo uploading with ***"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: a token that is not hidden would not be seen\n%s", want, log)
		}
	}
}

// talkative lets the checkout's programs print the token, and what they do.
func (r *runner) talkative(t *testing.T) {
	t.Helper()
	r.program(t, "report.sh", "set -x\necho reporting with $AUTHCTL_TOKEN\n"+`printf %s "$AUTHCTL_TOKEN" >'`+r.temp+`/reported'`)
	r.program(t, "upload.sh", "set -x\necho uploading with $TALKDESK_TOKEN\n"+`printf %s "$TALKDESK_TOKEN" >'`+r.temp+`/uploaded'`)
}

// actStep is a step of a workflow that a test writes.
type actStep struct {
	ID  string            `yaml:"id,omitempty"`
	Env map[string]string `yaml:"env,omitempty"`
	Run string            `yaml:"run"`
}

// asking is a step that has the client's credentials, as in the recipe.
func asking(run string) actStep {
	return actStep{Run: run, Env: map[string]string{
		"AUTHCTL_CLIENT_ID":     "${{ vars.TALKDESK_CLIENT_ID }}",
		"AUTHCTL_CLIENT_SECRET": "${{ secrets.TALKDESK_CLIENT_SECRET }}",
	}}
}

// workflow is the recipe with other steps than its own, for which authctl is there already.
func (r *runner) workflow(t *testing.T, steps []actStep) string {
	t.Helper()
	if err := os.Symlink(binary(t), r.path("tools/authctl")); err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(recipeText(t, "github-actions.yml"), "      - name: Install authctl")
	if !found {
		t.Fatal("the recipe for GitHub Actions has another shape: this test is to be written anew")
	}
	tail, err := yaml.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	return head + "      " + strings.ReplaceAll(string(tail), "\n", "\n      ") + "\n"
}

// TestStepsInAct: what a step gets, what the log hides, and that a step without a token fails.
func TestStepsInAct(t *testing.T) {
	t.Parallel()
	const get = "authctl token get -o github --var TALKDESK_TOKEN"
	upload := actStep{Run: "./upload.sh"}
	for _, tt := range []struct {
		name    string
		steps   []actStep
		refused bool // the client secret is wrong, and the job has to fail
		says    string
	}{
		{name: "tracing", says: "+ : ***", steps: []actStep{asking(get), {Run: "set -x\n: \"$TALKDESK_TOKEN\"\n./upload.sh"}}},
		{name: "in the step itself", says: "here is ***", steps: []actStep{
			asking(get + "\n. \"$GITHUB_ENV\"\necho here is $TALKDESK_TOKEN"), upload,
		}},
		{name: "an output", says: "uploading with ***", steps: []actStep{
			{ID: "ask", Env: asking("").Env, Run: "authctl token get -o github --github-output --var token"},
			{Env: map[string]string{"TALKDESK_TOKEN": "${{ steps.ask.outputs.token }}"}, Run: "./upload.sh"},
		}},
		{name: "behind a line without an end", says: "uploading with ***", steps: []actStep{
			asking("printf FIRST=1 >>\"$GITHUB_ENV\"\n" + get), {Run: "[ \"$FIRST\" = 1 ]\n./upload.sh"},
		}},
		{name: "behind a line of another", says: "uploading with ***", steps: []actStep{
			asking("echo FIRST=1 >>\"$GITHUB_ENV\"\n" + get + "\necho LAST=1 >>\"$GITHUB_ENV\""),
			{Run: "[ \"$FIRST$LAST\" = 11 ]\n./upload.sh"},
		}},
		{name: "two tokens", says: "uploading with ***", steps: []actStep{
			asking("authctl token get -o github\n" + get), {Run: "echo first $AUTHCTL_TOKEN\n./upload.sh"},
		}},
		{name: "exec of a traced command", says: "+ echo it is ***", steps: []actStep{
			asking("authctl exec --var TALKDESK_TOKEN -- sh -xc 'echo it is $TALKDESK_TOKEN; ./upload.sh'"),
		}},
		{name: "a shell that evaluates", steps: []actStep{
			asking("eval \"$(authctl token get -o env --var TALKDESK_TOKEN)\"\nprintf %s \"$TALKDESK_TOKEN\" >'{temp}/uploaded'"),
		}},
		{name: "github refused", refused: true, steps: []actStep{asking(get), upload}},
		{name: "exec refused", refused: true, steps: []actStep{asking("authctl exec -- sh -c 'touch {temp}/uploaded'")}},
		{name: "evaluated and refused", refused: true, steps: []actStep{
			asking("export TALKDESK_TOKEN=old\neval \"$(authctl token get -o env --var TALKDESK_TOKEN)\"\n./upload.sh"),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			r.talkative(t)
			if tt.refused {
				r.secrets["secret"] = "fake-and-wrong"
			}
			for i := range tt.steps {
				tt.steps[i].Run = strings.ReplaceAll(tt.steps[i].Run, "{temp}", r.temp)
			}
			log, ok := r.act(t, r.workflow(t, tt.steps))
			if ok == tt.refused {
				t.Errorf("the job's success is %t", ok)
			}
			r.wantHidden(t, nil)
			if !strings.Contains(log, tt.says) {
				t.Errorf("the log lacks %q", tt.says)
			}
			if !tt.refused {
				r.wantHandedOver(t, "uploaded")
			} else if fileExists(filepath.Join(r.temp, "uploaded")) {
				t.Error("the program that needs the token has run without one")
			}
			if t.Failed() {
				t.Log(log)
			}
		})
	}
}

// TestServiceCannotCommandAct: what a service says in an error is no command of the runner, wherever its lines break, and
// the token that the same step gets then is hidden.
func TestServiceCannotCommandAct(t *testing.T) {
	t.Parallel()
	for name, words := range map[string]string{
		"first":     `::stop-commands::x`,
		"own lines": `no\n::stop-commands::x\n##[stop-commands]x\r\n::stop-commands::x\r::stop-commands::x\u2028::stop-commands::x`,
		"wrapped":   strings.Repeat("::stop-commands::x ", 9),
		"azure":     strings.Repeat("##[stop-commands]x ", 9),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			r.talkative(t)
			body := `{"error":"` + words + `","error_description":"` + words + `"}`
			if err := r.server.AddFault(sandbox.Fault{Service: "talkdesk", Times: 1, Status: 400, Body: &body}); err != nil {
				t.Fatal(err)
			}
			log, ok := r.act(t, r.workflow(t, []actStep{
				asking("authctl token get && exit 1\nauthctl token get -o github --var TALKDESK_TOKEN"), {Run: "./upload.sh"},
			}))
			if !ok || !strings.Contains(log, "uploading with ***") || !strings.Contains(log, "error:") {
				t.Errorf("the job's success is %t:\n%s", ok, log)
			}
			for line := range strings.Lines(log) {
				if strings.Contains(line, "stop-commands") && !strings.Contains(line, "]   | ") {
					t.Errorf("a command for the runner: %s", line)
				}
			}
			r.wantHandedOver(t, "uploaded")
			r.wantHidden(t, nil)
		})
	}
}
