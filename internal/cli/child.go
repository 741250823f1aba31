package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/spf13/cobra"
)

// beforeDash parts `[PROFILE] -- CHILD…` into what is ours and what is the child's.
func beforeDash(command *cobra.Command, args []string, what string) (own, child []string, err error) {
	dash := command.ArgsLenAtDash()
	switch {
	case dash < 0:
		return nil, nil, usagef("-- is missing: %s [PROFILE] -- %s", command.CommandPath(), what)
	case dash > 1:
		return nil, nil, usagef("%q is one argument too many before --", args[1])
	case dash == len(args):
		return nil, nil, usagef("%s is missing after --", what)
	}
	return args[:dash], args[dash:], nil
}

// childEnvironment returns this process's environment without the values of secrets,
// other than those to keep: a child is given a token, and not what tokens are got with.
// more are further variables to leave out.
//
// The child is told the names of those that were there: an authctl in it can say why it
// lacks a secret.
func (a *app) childEnvironment(p *config.Profile, keep []string, more ...string) []string {
	secret := leftOut(config.SecretVariables(a.services, p), keep)
	before, _ := a.LookupEnv(source.Taken)
	taken := strings.Fields(before)
	for _, name := range secret {
		if value, _ := a.LookupEnv(name); value != "" {
			taken = append(taken, name)
		}
	}
	environment := without(slices.Concat(secret, more, []string{source.Taken}))
	if len(taken) == 0 {
		return environment
	}
	slices.Sort(taken)
	return append(environment, source.Taken+"="+strings.Join(slices.Compact(taken), " "))
}

// commandEnvironment is what the commands of cmd: references and that of the store's key
// get: no secret of any profile, other than those to keep.
func (u *setup) commandEnvironment(keep []string) []string {
	// Where the file cannot be read, that is for whoever needs it to say.
	file, _ := u.load()
	return without(leftOut(file.SecretVariables(u.app.services), keep))
}

// leftOut are the secret variables that are not to be kept.
func leftOut(secret, keep []string) []string { return slices.DeleteFunc(secret, isVariable(keep)) }

// without returns this process's environment without some variables.
func without(names []string) []string {
	drop := isVariable(names)
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return drop(name)
	})
}

// isVariable returns what reports whether a name is one of names.
func isVariable(names []string) func(name string) bool {
	return func(name string) bool {
		return slices.ContainsFunc(names, func(s string) bool {
			return s == name || runtime.GOOS == "windows" && strings.EqualFold(s, name)
		})
	}
}

// findProgram returns the path of a program that the user named, as execvp(3) finds it: in
// relative directories of PATH too. The error is a *childError: 127 when there is none, 126
// when it cannot be executed.
func (a *app) findProgram(name string) (string, error) {
	return a.lookUp(name, func(string) bool { return true })
}

// findOwnProgram is findProgram for what authctl chooses to run: who does not name a program
// does not mean one that lies in the directory they happen to be in.
func (a *app) findOwnProgram(name string) (string, error) { return a.lookUp(name, filepath.IsAbs) }

func (a *app) lookUp(name string, allowed func(dir string) bool) (string, error) {
	if name == "" || filepath.Base(name) != name {
		path, err := exec.LookPath(name)
		return path, childCode(err)
	}
	list, _ := a.LookupEnv("PATH")
	missing := exec.ErrNotFound
	for _, dir := range filepath.SplitList(list) {
		if !allowed(dir) {
			continue
		}
		// With a separator nothing else is looked into.
		path, err := exec.LookPath(cmp.Or(dir, ".") + string(filepath.Separator) + name)
		if err == nil {
			return path, nil
		}
		if errors.Is(err, fs.ErrPermission) {
			missing = fs.ErrPermission
		}
	}
	return "", childCode(&exec.Error{Name: name, Err: missing})
}

// runChild runs a command to its end and returns its exit code as a *childError, nil
// when that is 0. Signals to this process are the child's from the beginning; one that
// came before ends ctx, and then there is no child. What started returns, when it is
// not nil, is called once the child has ended, with the signals that come from then on;
// its error comes first.
func runChild(
	ctx context.Context, child *exec.Cmd, started func() (after func(<-chan os.Signal) error),
) error {
	signals := make(chan os.Signal, 8)
	// What the user has a process ignore, as nohup does, its children ignore too.
	notify(signals, passedSignals())
	defer signal.Stop(signals)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	// The thread must stay: it is with its end that dieWithParent's signal comes.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child, err := start(child)
	if err != nil {
		return childCode(err)
	}
	after := func(<-chan os.Signal) error { return nil }
	if started != nil {
		after = started()
	}
	ended := make(chan struct{})
	var passing sync.WaitGroup
	passing.Go(func() { passOn(child.Process, signals, ended) })
	err = child.Wait()
	close(ended)
	passing.Wait()
	if err := after(signals); err != nil {
		return err
	}
	return childCode(err)
}

// start starts a child, by the shell when it is a script that does not name its
// interpreter: execvp(3) does so.
func start(child *exec.Cmd) (*exec.Cmd, error) {
	dieWithParent(child)
	err := child.Start()
	if !isBareScript(child.Path, err) {
		return child, err
	}
	again := exec.Command(shell) //nolint:noctx // it ends when it likes
	again.Args, again.Env, again.ExtraFiles = shellArgs(child.Path, child.Args), child.Env, child.ExtraFiles
	again.Stdin, again.Stdout, again.Stderr = child.Stdin, child.Stdout, child.Stderr
	dieWithParent(again)
	return again, again.Start()
}

// shell runs scripts that do not name their interpreter.
const shell = "/bin/sh"

func shellArgs(path string, args []string) []string {
	return append([]string{shell, path}, args[1:]...)
}

// isBareScript reports whether a program could not be executed because it is text. A
// NUL in its first line means that it is a program for another machine, see
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sh.html.
func isBareScript(path string, err error) bool {
	if !errors.Is(err, syscall.ENOEXEC) {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	line, _ := bufio.NewReaderSize(file, 4096).ReadSlice('\n')
	return !slices.Contains(line, 0)
}

// passOn tells a child the signals that come, until it has ended.
func passOn(child *os.Process, signals <-chan os.Signal, ended <-chan struct{}) {
	for {
		select {
		case s := <-signals:
			if !sentByTerminal(s) {
				_ = child.Signal(s)
			}
		case <-ended:
			return
		}
	}
}

// interruptedBy is how a command ends that a signal ends.
func interruptedBy(s os.Signal) error {
	if number, ok := s.(syscall.Signal); ok {
		return Interrupted{Signal: number}
	}
	return Interrupted{Signal: syscall.SIGINT}
}

// unfound says what is missing where a program is a part of what was asked for.
func unfound(err error, program, hint string) error {
	return fmt.Errorf("running %s: %w; %s", program, err, hint)
}
