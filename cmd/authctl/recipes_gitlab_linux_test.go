package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
	"go.yaml.in/yaml/v3"
)

// gitlabLocal runs a pipeline with gitlab-ci-local, in a shell on this machine, and returns the log and whether the pipeline
// succeeded. The secret is a variable of the type File. GitLab's usual executor works with umask 0, so that such files are
// 0666 below a directory of mode 0777; it is so here.
//
// It is the recipe that runs: tools/curl hands the installer the release that it would download. AUTHCTL_BASE_URL
// replaces the service's host.
func (r *runner) gitlabLocal(t *testing.T, pipeline string) (string, bool) {
	t.Helper()
	dir := filepath.Join(testneed.Root(t), "test", "gitlab-ci-local")
	program := filepath.Join(dir, "node_modules", "gitlab-ci-local", "dist", "index.js")
	_, err := os.Stat(program)
	testneed.Need(t, "the npm package gitlab-ci-local", err)
	testneed.Program(t, "rsync")
	node := testneed.Program(t, "node")
	if own := filepath.Join(dir, ".node", "node_modules", ".bin", "node"); fileExists(own) {
		node = own
	}
	r.write(t, "checkout/.gitlab-ci.yml", pipeline, 0o600)
	r.settings(t)
	r.repository(t)
	env := append(slices.Clone(r.env), "NODE_OPTIONS=--require="+filepath.Join(dir, "newer-builtins.cjs"))
	return r.real(t, env, "sh", "-c", `umask 0; exec "$@"`, "sh",
		node, program, "--force-shell-executor", "--shell-isolation", "--no-color")
}

// settings are the variables of the project. MARK tells which of the directories that gitlab-ci-local leaves in /tmp are
// of this test.
func (r *runner) settings(t *testing.T) {
	t.Helper()
	file := func(text string) map[string]any {
		return map[string]any{"type": "file", "values": map[string]string{"*": text}}
	}
	all := map[string]any{"MARK": file(r.dir)}
	if r.identityTokens == nil {
		all["AUTHCTL_CLIENT_ID"], all["AUTHCTL_CLIENT_SECRET_FILE"] = r.variables["id"], file(r.secrets["secret"])
	}
	for name, token := range r.identityTokens {
		all[name] = token
	}
	text, err := yaml.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	r.write(t, "checkout/.gitlab-ci-local-variables.yml", string(text), 0o600)
	t.Cleanup(func() {
		marks, _ := filepath.Glob("/tmp/gitlab-ci-local-file-variables-*/MARK") // the pattern is a good one
		for _, mark := range marks {
			if text, err := os.ReadFile(mark); err == nil && string(text) == r.dir {
				_ = os.RemoveAll(filepath.Dir(mark))
			}
		}
	})
}

// repository makes the checkout one: gitlab-ci-local gives a job what git knows.
func (r *runner) repository(t *testing.T) {
	t.Helper()
	git := testneed.Program(t, "git")
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"remote", "add", "origin", "https://gitlab.example/acme/report.git"},
		{"add", "--all"},
		{"-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", "a commit"},
	} {
		cmd := exec.CommandContext(t.Context(), git, args...)
		cmd.Dir, cmd.Env = r.checkout, r.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, out)
		}
	}
}

// TestRecipeInGitLabCILocal runs the recipe for GitLab CI as it stands: the programs have tokens, the report hands one
// over, and no log shows one.
func TestRecipeInGitLabCILocal(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.program(t, "loose.sh", `[ "$(umask)" = 0000 ] && [ "$(stat -c %a "$AUTHCTL_CLIENT_SECRET_FILE")" = 666 ] && echo loose as GitLab`)
	pipeline := recipeText(t, "gitlab-ci.yml") + "\nloose:\n  stage: upload\n  script: [./loose.sh]\n"
	log, ok := r.gitlabLocal(t, pipeline)
	if !ok || !strings.Contains(log, "> loose as GitLab") {
		t.Errorf("the pipeline's success is %t:\n%s", ok, log)
	}
	r.wantHandedOver(t, "reported", "uploaded")
	r.wantHidden(t, nil)
}

// TestRefusedInGitLabCILocal: jobs that get no token fail, and those that need them do not run.
func TestRefusedInGitLabCILocal(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.secrets["secret"] = "fake-and-wrong"
	log, ok := r.gitlabLocal(t, recipeText(t, "gitlab-ci.yml"))
	if ok || !strings.Contains(log, "FAIL 4") {
		t.Errorf("the pipeline's success is %t:\n%s", ok, log)
	}
	for _, name := range []string{"reported", "uploaded"} {
		if fileExists(filepath.Join(r.temp, name)) {
			t.Errorf("without a token it was %s", name)
		}
	}
	r.wantHidden(t, nil)
}

// TestLeakInGitLabCILocal: a log that shows a token is seen by these tests.
func TestLeakInGitLabCILocal(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	log, ok := r.gitlabLocal(t, recipeText(t, "gitlab-ci.yml")+"\nleak:\n  extends: .authctl\n  stage: report\n"+
		"  script: [authctl token get]\n")
	if !ok || len(r.leaks(r.shown.String(), nil)) != 1 {
		t.Errorf("the pipeline's success is %t, and the leak is not seen:\n%s", ok, log)
	}
}
