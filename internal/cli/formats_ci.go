package cli

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"

	"github.com/authctl/authctl/internal/config"
)

// reportLimit is from how many bytes on GitLab refuses a dotenv report, where its
// administrator has not changed that.
const reportLimit = 5 << 10

// mask returns the command that makes a runner of GitHub Actions hide the token in the
// job's log, see https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
func (p printed) mask() string {
	return "::add-mask::" + strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(p.AccessToken) + "\n"
}

// runnerFile is a file through which a step of GitHub Actions hands variables or
// outputs to those that follow.
type runnerFile struct {
	// name is that of the environment variable that says where it is.
	name, path string
}

// runnerFile returns the file of variables or that of outputs, once it is sure that
// this runs in a step and that the file can be appended to.
func (a *app) runnerFile(output bool) (runnerFile, error) {
	f := runnerFile{name: "GITHUB_ENV"}
	if output {
		f.name = "GITHUB_OUTPUT"
	}
	if running, _ := a.LookupEnv("GITHUB_ACTIONS"); running != "true" {
		return f, usagef("-o github is for a step of GitHub Actions: GITHUB_ACTIONS is not true here, " +
			"so nothing would hide the token; choose another format, such as env")
	}
	if f.path, _ = a.LookupEnv(f.name); f.path == "" {
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
	return &config.Error{
		Key: f.name, Problem: problem, Err: err,
		Suggestion: "it is the runner that sets it: run this in a step, and pass it on to a container with its file",
	}
}

// append adds a pair to the file.
func (f runnerFile) append(name, value string) error {
	file, err := f.open()
	if err != nil {
		return err
	}
	return f.write(file, heredoc(name, value))
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

// heredoc returns a pair as the runner reads it. The delimiter is one that nobody who
// chooses the value can guess. The empty line, which the runner skips, ends what
// another program may have left without an end of line.
func heredoc(name, value string) string {
	delimiter := "ghadelimiter_" + rand.Text()
	return "\n" + name + "<<" + delimiter + "\n" + value + "\n" + delimiter + "\n"
}

// report returns a dotenv report for GitLab, which knows no quotes and expands
// variables in values, see https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv.
func (p printed) report(name string) (string, error) {
	if !plainToken(p.AccessToken) {
		return "", notPlain("gitlab", "GitLab may change the others, $ for one")
	}
	return name + "=" + p.AccessToken + "\n", nil
}

// warnOfReport tells what a dotenv report of so many bytes is not.
func (a *app) warnOfReport(size int) {
	a.warn("GitLab does not hide this variable in the logs of the jobs that get it, and the report can be downloaded: " +
		"let it expire soon, and where one job is enough use authctl exec instead")
	if size >= reportLimit {
		a.warn(fmt.Sprintf("the report has %d bytes; GitLab refuses one of %d or more unless its limits were raised",
			size, reportLimit))
	}
}

// secretVariable returns the command that makes the token a secret variable of Azure
// Pipelines, escaped as the agent takes it back, see
// https://github.com/microsoft/azure-pipelines-agent/blob/master/docs/design/percentEncoding.md.
func (p printed) secretVariable(name string) string {
	escape := strings.NewReplacer("%", "%AZP25", ";", "%3B", "\r", "%0D", "\n", "%0A", "]", "%5D")
	return "##vso[task.setvariable variable=" + name + ";issecret=true]" + escape.Replace(p.AccessToken) + "\n"
}
