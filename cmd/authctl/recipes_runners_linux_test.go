package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// githubStep is a step of a workflow.
type githubStep struct {
	Name, Uses, Run string
	Env             map[string]string
}

// github runs steps as the runner of GitHub Actions does
// (https://docs.github.com/actions/reference/workflow-commands-for-github-actions): bash -e, files for what is handed on,
// the environment of a step in the log, masks that hold from the line on that sets them.
func (r *runner) github(t *testing.T, workflow map[string]string, steps []githubStep) {
	t.Helper()
	expression := regexp.MustCompile(`\$\{\{ *(vars|secrets)\.([A-Z_]+) *\}\}`)
	fill := func(text string) string {
		text = expression.ReplaceAllStringFunc(text, func(found string) string {
			parts := expression.FindStringSubmatch(found)
			return map[string]map[string]string{
				"vars":    {"TALKDESK_CLIENT_ID": r.variables["id"]},
				"secrets": {"TALKDESK_CLIENT_SECRET": r.secrets["secret"]},
			}[parts[1]][parts[2]]
		})
		if strings.Contains(text, "${{") {
			t.Fatalf("an expression that the test does not know: %s", text)
		}
		return text
	}
	r.masks = append(r.masks, r.secrets["secret"])
	handed := entries(workflow, fill)
	for _, s := range steps {
		if s.Run == "" {
			continue
		}
		env := slices.Concat([]string{"CI=true", "GITHUB_ACTIONS=true", "RUNNER_TEMP=" + r.temp}, handed, entries(s.Env, fill))
		files := []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH"}
		for _, name := range files {
			r.write(t, "temp/"+name, "", 0o600)
			env = append(env, name+"="+filepath.Join(r.temp, name))
		}
		for _, entry := range slices.Concat([]string{"Run " + s.Run, "env:"}, handed, entries(s.Env, fill)) {
			r.tells("  " + entry)
		}
		for _, line := range r.step(t, []string{"bash", "-e"}, fill(s.Run), env) {
			if mask, ok := strings.CutPrefix(line, "::add-mask::"); ok {
				r.masks = append(r.masks, mask)
			}
			r.says(line)
		}
		handed = append(handed, r.githubEnv(t)...)
		if added := r.read(t, "GITHUB_PATH"); added != "" {
			r.env = append(r.env, "PATH="+strings.TrimSpace(added)+":"+r.path("tools")+":/usr/bin:/bin")
		}
	}
}

func (r *runner) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.temp, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// githubEnv reads NAME=value, and NAME<<DELIMITER with the lines up to the delimiter.
func (r *runner) githubEnv(t *testing.T) []string {
	t.Helper()
	var list []string
	lines := strings.Split(r.read(t, "GITHUB_ENV"), "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, heredoc := strings.Cut(lines[i], "<<")
		switch {
		case lines[i] == "":
		case heredoc:
			end := slices.Index(lines[i:], delimiter) + i
			if end < i {
				t.Fatalf("GITHUB_ENV: the delimiter of %s is missing", name)
			}
			list = append(list, name+"="+strings.Join(lines[i+1:end], "\n"))
			i = end
		default:
			list = append(list, lines[i])
		}
	}
	return list
}

func isAddMask(line string) bool { return strings.HasPrefix(line, "::add-mask::") }

func TestRecipeForGitHubActions(t *testing.T) {
	t.Parallel()
	var workflow struct {
		Env  map[string]string
		Jobs map[string]struct{ Steps []githubStep }
	}
	recipe(t, "github-actions.yml", &workflow)
	r := newRunner(t)
	r.github(t, workflow.Env, workflow.Jobs["report"].Steps)
	r.wantHandedOver(t, "reported", "uploaded")
	r.wantHidden(t, isAddMask)
	if !strings.Contains(r.shown.String(), "  TALKDESK_TOKEN=***\n") {
		t.Error("the runner has shown no token that it hides: a leak would not be seen")
	}
	// A step that prints the token is hidden too.
	r.program(t, "upload.sh", `echo "uploading with $TALKDESK_TOKEN"`)
	r.github(t, workflow.Env, workflow.Jobs["report"].Steps)
	if list := r.leaks(r.shown.String(), nil); len(list) > 0 || !strings.Contains(r.shown.String(), "uploading with ***") {
		t.Errorf("a careless step leaks: %q", list)
	}
}

// gitlabJob is a job of .gitlab-ci.yml.
type gitlabJob struct {
	Extends, Stage string
	BeforeScript   []string `yaml:"before_script"`
	Script, Needs  []string
	Artifacts      struct{ Reports struct{ Dotenv string } }
}

// gitlab runs a job as GitLab's runner does: bash with errexit and pipefail, with umask 0, each command shown as it was
// written. It returns what the job's report hands on.
func (r *runner) gitlab(t *testing.T, job gitlabJob, env []string) []string {
	t.Helper()
	script := "umask 0\nset -eo pipefail\n"
	for _, command := range slices.Concat(job.BeforeScript, job.Script) {
		script += "echo '$ " + strings.ReplaceAll(command, "'", `'\''`) + "'\n" + command + "\n"
	}
	env = append(env, "CI=true", "GITLAB_CI=true", "CI_PROJECT_DIR="+r.checkout)
	for _, line := range r.step(t, []string{"bash"}, script, env) {
		r.says(line)
	}
	if job.Artifacts.Reports.Dotenv == "" {
		return nil
	}
	report, err := os.ReadFile(filepath.Join(r.checkout, job.Artifacts.Reports.Dotenv))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(report)), "\n")
}

// looseFile is the secret as a variable of the type File: where the runner works with umask 0, anybody may write it.
func (r *runner) looseFile(t *testing.T) string {
	t.Helper()
	dir := r.path("checkout.tmp")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	r.write(t, "checkout.tmp/AUTHCTL_CLIENT_SECRET_FILE", r.secrets["secret"], 0o600)
	file := filepath.Join(dir, "AUTHCTL_CLIENT_SECRET_FILE")
	if os.Chmod(dir, 0o777) != nil || os.Chmod(file, 0o666) != nil {
		t.Fatal("the file's mode cannot be changed")
	}
	return file
}

func TestRecipeForGitLab(t *testing.T) {
	t.Parallel()
	var pipeline struct {
		Stages    []string
		Variables map[string]string
		Jobs      map[string]gitlabJob `yaml:",inline"`
	}
	recipe(t, "gitlab-ci.yml", &pipeline)
	r := newRunner(t)
	// GitLab's usual executor works with umask 0, and so are its variables of the type File.
	if err := os.Chmod(r.variables["file"], 0o666); err != nil {
		t.Fatal(err)
	}
	env := append(entries(pipeline.Variables, func(s string) string { return s }),
		"AUTHCTL_CLIENT_ID="+r.variables["id"], "AUTHCTL_CLIENT_SECRET_FILE="+r.looseFile(t))
	reports := map[string][]string{}
	for _, stage := range pipeline.Stages {
		for name, job := range pipeline.Jobs {
			if job.Stage != stage {
				continue
			}
			if job.Extends != "" {
				job.BeforeScript = pipeline.Jobs[job.Extends].BeforeScript
			}
			for _, need := range job.Needs {
				env = append(env, reports[need]...)
			}
			reports[name] = r.gitlab(t, job, env)
		}
	}
	r.wantHandedOver(t, "reported", "uploaded")
	r.wantHidden(t, nil)
}

// jenkins runs the sh steps of a Jenkinsfile: sh -xe, with the variables of environment and, behind withCredentials, those
// that it names.
func (r *runner) jenkins(t *testing.T, text string) {
	t.Helper()
	r.masks = append(r.masks, r.secrets["secret"])
	env := []string{"JENKINS_URL=https://jenkins.example/", "WORKSPACE=" + r.checkout}
	statement := regexp.MustCompile(`([A-Z_]+) = '([^']*)'|usernameVariable: '(\w+)'|passwordVariable: '(\w+)'|\bsh '([^'\n]+)'`)
	for _, found := range statement.FindAllStringSubmatch(text, -1) {
		switch {
		case found[1] != "":
			env = append(env, found[1]+"="+found[2])
		case found[3] != "":
			env = append(env, found[3]+"="+r.variables["id"])
		case found[4] != "":
			env = append(env, found[4]+"="+r.secrets["secret"])
		default:
			for _, line := range r.step(t, []string{"sh", "-xe"}, found[5], env) {
				r.says(line)
			}
		}
	}
}

func TestRecipeForJenkins(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`(?m)^//.*\n`).ReplaceAllString(recipeText(t, "Jenkinsfile"), "")
	r := newRunner(t)
	r.jenkins(t, code)
	r.wantHandedOver(t, "reported")
	r.wantHidden(t, nil)
	if strings.Count(code, "sh '") != strings.Count(r.log.String(), "+ sh ")+1 {
		t.Errorf("not every step was run: %s", r.log.String())
	}
}

// azureStep is a step of azure-pipelines.yml.
type azureStep struct {
	Bash string
	Env  map[string]string
}

// azure runs steps as the agent of Azure Pipelines does: macros filled in, secret variables in no environment but where
// they are put, ##vso lines taken as commands and not shown
// (https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands).
func (r *runner) azure(t *testing.T, variables map[string]string, steps []azureStep) {
	t.Helper()
	macros := map[string]string{"talkdeskClientId": r.variables["id"], "talkdeskClientSecret": r.secrets["secret"]}
	macro := regexp.MustCompile(`\$\(([A-Za-z_.]+)\)`)
	fill := func(text string) string {
		return macro.ReplaceAllStringFunc(text, func(found string) string {
			if value, ok := macros[macro.FindStringSubmatch(found)[1]]; ok {
				return value
			}
			return found
		})
	}
	r.masks = append(r.masks, r.secrets["secret"])
	command := regexp.MustCompile(`^##vso\[task\.(\w+)(?: variable=(\w+);issecret=true)?\](.*)$`)
	unescape := strings.NewReplacer("%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]", "%AZP25", "%")
	for _, s := range steps {
		if s.Bash == "" {
			continue
		}
		env := slices.Concat([]string{"TF_BUILD=True", "AGENT_TEMPDIRECTORY=" + r.temp}, entries(variables, fill), entries(s.Env, fill))
		for _, line := range r.step(t, []string{"bash", "--noprofile", "--norc"}, fill(s.Bash), env) {
			found := command.FindStringSubmatch(line)
			switch {
			case found == nil:
				r.says(line)
			case found[1] == "setvariable":
				macros[found[2]] = unescape.Replace(found[3])
				r.masks = append(r.masks, macros[found[2]])
				r.log.WriteString(line + "\n")
			case found[1] == "prependpath":
				r.env = append(r.env, "PATH="+found[3]+":"+r.path("tools")+":/usr/bin:/bin")
			}
		}
	}
}

func isSetVariable(line string) bool {
	return strings.HasPrefix(line, "##vso[task.setvariable ") && strings.Contains(line, ";issecret=true]")
}

func TestRecipeForAzurePipelines(t *testing.T) {
	t.Parallel()
	var pipeline struct {
		Variables map[string]string
		Steps     []azureStep
	}
	recipe(t, "azure-pipelines.yml", &pipeline)
	r := newRunner(t)
	r.azure(t, pipeline.Variables, pipeline.Steps)
	r.wantHandedOver(t, "reported", "uploaded")
	r.wantHidden(t, isSetVariable)
	// A step that prints the token is hidden too.
	r.program(t, "upload.sh", `echo "uploading with $TALKDESK_TOKEN"`)
	r.azure(t, pipeline.Variables, pipeline.Steps)
	if list := r.leaks(r.shown.String(), nil); len(list) > 0 || !strings.Contains(r.shown.String(), "uploading with ***") {
		t.Errorf("a careless step leaks: %q", list)
	}
}

// TestRunnersSeeLeaks: what the guide says leaks does, in the runners that the recipes are tried in.
func TestRunnersSeeLeaks(t *testing.T) {
	t.Parallel()
	for name, leak := range map[string]func(*runner){
		"github": func(r *runner) {
			steps := []githubStep{{Run: `authctl token get -o env >> "$GITHUB_ENV"`}, {Run: "true"}, {Run: "authctl token get"}}
			r.github(t, nil, steps)
		},
		"gitlab":  func(r *runner) { r.gitlab(t, gitlabJob{Script: []string{"authctl token get"}}, nil) },
		"jenkins": func(r *runner) { r.jenkins(t, `sh 'TOKEN=$(authctl token get)'`) },
		"azure":   func(r *runner) { r.azure(t, nil, []azureStep{{Bash: "authctl token get"}}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			r.env = append(r.env, "AUTHCTL_STORE=memory", "AUTHCTL_PROVIDER=talkdesk", "AUTHCTL_ACCOUNT=acme",
				"AUTHCTL_CLIENT_ID="+r.variables["id"], "AUTHCTL_CLIENT_SECRET_FILE="+r.variables["file"],
				"PATH="+filepath.Dir(binary(t))+":/usr/bin:/bin")
			leak(r)
			if len(r.leaks(r.shown.String(), nil)) == 0 {
				t.Errorf("the leak is not seen: %s", r.shown.String())
			}
		})
	}
}
