package formats

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/setting"
)

// reportLimit is from how many bytes on GitLab refuses a dotenv report, where its
// administrator has not changed that.
const reportLimit = 5 << 10

// mask returns the command that makes a runner of GitHub Actions hide the token in the
// job's log, see https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
func (p Token) mask() string {
	return "::add-mask::" + strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(p.AccessToken) + "\n"
}

// MasksFirst reports whether the arguments ask for a format that tells a runner to hide
// the token, before which it is told nothing else.
func MasksFirst(args []string) bool {
	format := verb.ValueIn(args, verb.OutputIn)
	return format == "github" || format == "azure-pipelines"
}

// Hide tells the runner of a pipeline, where this runs in one, to hide a token that a
// command is given: it may print it, as a shell does after set -x. Both runners read
// stderr too, and stdout is the command's.
func Hide(d *verb.Deps, p Token) {
	switch {
	case d.IsTrue("GITHUB_ACTIONS"):
		_, _ = io.WriteString(d.UI.Raw.Err, p.mask())
	case d.IsTrue("TF_BUILD"):
		_, _ = io.WriteString(d.UI.Raw.Err, "##vso[task.setsecret]"+azureEscape(p.AccessToken)+"\n")
	}
	d.UI.Release()
}

// Hides reports whether there is a runner to be told.
func Hides(d *verb.Deps) bool { return d.IsTrue("GITHUB_ACTIONS") || d.IsTrue("TF_BUILD") }

// inAzurePipelines returns an error unless this runs in a job of Azure Pipelines, see
// https://learn.microsoft.com/azure/devops/pipelines/build/variables.
func inAzurePipelines(d *verb.Deps) error {
	if d.IsTrue("TF_BUILD") {
		return nil
	}
	return verb.Usagef("-o azure-pipelines is for a step of Azure Pipelines: TF_BUILD is not True here, " +
		"so nothing would hide the token; choose another format, such as env")
}

// runnerFile is a file through which a step of GitHub Actions hands variables or
// outputs to those that follow.
type runnerFile struct {
	// name is that of the environment variable that says where it is.
	name, path string
}

// fileOfRunner returns the file of variables or that of outputs, once it is sure that
// this runs in a step and that the file can be appended to.
func fileOfRunner(d *verb.Deps, output bool) (runnerFile, error) {
	f := runnerFile{name: "GITHUB_ENV"}
	if output {
		f.name = "GITHUB_OUTPUT"
	}
	if !d.IsTrue("GITHUB_ACTIONS") {
		return f, verb.Usagef("-o github is for a step of GitHub Actions: GITHUB_ACTIONS is not true here, " +
			"so nothing would hide the token; choose another format, such as env")
	}
	if f.path, _ = d.LookupEnv(f.name); f.path == "" {
		return f, f.unusable("is not set", nil)
	}
	file, err := f.open()
	if err != nil {
		return f, err
	}
	return f, file.Close()
}

// open opens the file, which the runner has made: one that is not there would be read
// by nobody.
func (f runnerFile) open() (*os.File, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return nil, f.unusable("cannot be appended to: "+err.Error(), err)
	}
	if !info.Mode().IsRegular() {
		return nil, f.unusable("cannot be appended to: "+f.path+" is not a regular file", nil)
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, f.unusable("cannot be appended to: "+err.Error(), err)
	}
	return file, nil
}

func (f runnerFile) unusable(problem string, err error) error {
	return &setting.Error{
		Name: f.name, Problem: problem, Err: err,
		Help: "it is the runner that sets it: run this in a step, and pass it on to a container with its file",
	}
}

// append adds a pair to the file.
func (f runnerFile) append(name, value string) error {
	file, err := f.open()
	if err != nil {
		return err
	}
	return f.write(file, f.lineEnd()+pair(name, value))
}

// lineEnd returns what ends the last line of what others have left in the file. An empty
// line is not for all to skip: nektos/act, and the runners made of it, stop reading there.
func (f runnerFile) lineEnd() string {
	file, err := os.Open(f.path)
	if err != nil {
		return "\n" // it may be written and not read
	}
	defer file.Close()
	last := make([]byte, 1)
	size, err := file.Seek(-1, io.SeekEnd)
	if err != nil {
		return "" // it is empty
	}
	if _, err := file.ReadAt(last, size); err == nil && last[0] == '\n' {
		return ""
	}
	return "\n"
}

// write writes all at once, so that what others append stays whole, and closes the file.
func (f runnerFile) write(file *os.File, text string) error {
	_, err := file.WriteString(text)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("appending to the file of %s: %w", f.name, err)
	}
	return nil
}

// pair returns a pair as the runner reads it. Only a value of several lines needs the form
// with a delimiter, which is one that nobody who chooses the value can guess.
func pair(name, value string) string {
	if !strings.ContainsAny(value, "\r\n") {
		return name + "=" + value + "\n"
	}
	delimiter := "ghadelimiter_" + rand.Text()
	return name + "<<" + delimiter + "\n" + value + "\n" + delimiter + "\n"
}

// report returns a dotenv report for GitLab, which knows no quotes and expands
// Variables in values, see https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv.
func (p Token) report(name string) (string, error) {
	if !plainToken(p.AccessToken) {
		return "", notPlain("gitlab", "GitLab may change the others, $ for one")
	}
	return name + "=" + p.AccessToken + "\n", nil
}

// warnOfReport tells what a dotenv report of so many bytes is not.
func warnOfReport(d *verb.Deps, size int) {
	d.UI.Warn("GitLab does not hide this variable in the logs of the jobs that get it, and the report can be " +
		"downloaded: " +
		"let it expire soon, and where one job is enough use authctl exec instead")
	if size >= reportLimit {
		d.UI.Warn(fmt.Sprintf("the report has %d bytes; GitLab refuses one of %d or more unless its limits were raised",
			size, reportLimit))
	}
}

// secretVariable returns the command that makes the token a secret variable of Azure
// Pipelines, escaped as the agent takes it back, see
// https://github.com/microsoft/azure-pipelines-agent/blob/master/docs/design/percentEncoding.md.
func (p Token) secretVariable(name string) string {
	return "##vso[task.setvariable variable=" + name + ";issecret=true]" + azureEscape(p.AccessToken) + "\n"
}

func azureEscape(value string) string {
	return strings.NewReplacer("%", "%AZP25", ";", "%3B", "\r", "%0D", "\n", "%0A", "]", "%5D").Replace(value)
}
