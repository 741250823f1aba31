package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/loopback"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// kind is a row of the table of exit codes.
type kind struct {
	code int
	// meaning is what the documentation says, in Markdown.
	meaning string
	// hint is what to do next where the error itself does not know better.
	hint string
	// retryable says that the same command may succeed later.
	retryable bool
}

// kinds returns the table of exit codes. Those without a kind are in exitTable.
func kinds() map[string]kind {
	return map[string]kind{
		"internal": {code: 1, meaning: "anything else, such as a token that could not be written to stdout"},
		"usage": {
			code: 2, meaning: "a flag or an argument is wrong", hint: "run it with --help to see what it takes",
		},
		"config": {
			code: 3, meaning: "configuration or a secret reference is wrong, missing or unsafe; " +
				"a certificate that is not trusted; a proxy that wants other credentials",
		},
		"auth": {
			code: 4, meaning: "the service refused the credentials, or a login by a person is needed",
			hint: "check {credentials} in the profile; --dry-run shows the request",
		},
		"scope": {
			code: 5, meaning: "a scope was refused, or `--require-scope` found one missing",
			hint: "check {scopes} in the profile, case matters",
		},
		"unsupported": {code: 6, meaning: "this service has no such operation"},
		"store": {
			code: 7, meaning: "the chosen store cannot be used", hint: "use --store memory for this call, or --store auto",
		},
		"temporary": {
			code: 8, meaning: "network, timeout, 429, 5xx, lock busy: try again later", hint: "try again later",
			retryable: true,
		},
		"protocol": {
			code: 9, meaning: "the service's reply cannot be used",
			hint: "check {base_url,account} in the profile; --verbose shows who answered",
		},
	}
}

// usageError says that a flag or an argument is wrong.
type usageError struct {
	err error
	// hint says what to do; empty means the usual.
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// childError carries the exit code of a child; err says why it could not be
// started, nil when it ran.
type childError struct {
	code int
	err  error
}

func (e *childError) Error() string {
	if e.err != nil {
		return e.err.Error()
	}
	return fmt.Sprintf("the command ended with exit code %d", e.code)
}

// judge is the one place that turns an error into a kind and a hint. What is wrong
// with a secret's reference comes first: it may wrap the keyring's error.
func judge(err error) (string, string) {
	if name, hint, ok := judgeConfig(err); ok {
		return name, hint
	}
	if e, ok := errors.AsType[*usageError](err); ok {
		return "usage", e.hint
	}
	if found, ok := errors.AsType[*doctorError](err); ok {
		return found.kind, "each check that failed says what to do"
	}
	if _, ok := errors.AsType[*providers.UnsupportedError](err); ok {
		return "unsupported", ""
	}
	if e, ok := errors.AsType[*scopeError](err); ok {
		return "scope", e.hint
	}
	if failure, ok := errors.AsType[*providers.Failure](err); ok {
		return kindOf(failure.Reason), hintOf(failure)
	}
	if lock, ok := errors.AsType[*store.LockError](err); ok {
		return kindOfLock(lock)
	}
	if unusable, ok := errors.AsType[*store.UnusableError](err); ok {
		return kindOfStore(unusable)
	}
	if _, ok := errors.AsType[*loopback.ListenError](err); ok {
		return "temporary", "another program has the port, perhaps another login: end it, or set another redirect_port"
	}
	if _, ok := errors.AsType[*stdinError](err); ok {
		return "temporary", "see who writes to stdin, and that it ends; or raise --timeout (AUTHCTL_TIMEOUT)"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "temporary", "raise --timeout, or try again later"
	}
	return "internal", ""
}

// judgeConfig knows the errors of configuration and secrets.
func judgeConfig(err error) (name, hint string, ok bool) {
	if errors.Is(err, term.ErrNoInput) {
		_, secret := errors.AsType[*source.Error](err)
		return "config", inputHint(err, secret), true
	}
	if _, ok := errors.AsType[*term.TypedError](err); ok {
		return "config", "give a reference to it instead, such as file:PATH", true
	}
	if e, ok := errors.AsType[*providers.SettingError](err); ok {
		return "config", e.Help, true
	}
	if e, ok := errors.AsType[*config.Error](err); ok {
		if errors.Is(err, edit.ErrChanged) {
			return "temporary", e.Suggestion, true
		}
		return "config", e.Suggestion, true
	}
	if e, ok := errors.AsType[*source.Error](err); ok {
		return "config", cmp.Or(e.Suggestion, keyringRemedy(e)), true
	}
	if e, ok := errors.AsType[*oauth.RequestError](err); ok {
		return "config", e.Hint, true
	}
	if e, ok := errors.AsType[*jose.KeyError](err); ok {
		return "config", cmp.Or(e.Hint, "private_key wants a PKCS#8 key, as PEM or as bare Base64"), true
	}
	return "", "", false
}

// inputHint says what to do where a person cannot be asked.
func inputHint(err error, secret bool) string {
	hint := "run it in a terminal"
	if missing, ok := errors.AsType[*term.NoInputError](err); ok && missing.Hint != "" {
		hint = missing.Hint
	}
	if secret {
		hint += ", or give the secret by a reference such as env:NAME or file:PATH"
	}
	return hint
}

// keyringRemedy says what to do about a secret that is not in the keyring, or about a
// keyring that does not give it.
func keyringRemedy(e *source.Error) string {
	const otherwise = "give the secret by another reference such as env:NAME or file:PATH"
	name, _ := strings.CutPrefix(e.Reference, "keyring:")
	if unusable, ok := errors.AsType[*store.UnusableError](e); ok && unusable.Problem != store.Unreachable {
		return "unlock the keyring, or " + otherwise
	}
	if !errors.Is(e, store.ErrNotFound) {
		return otherwise
	}
	switch runtime.GOOS {
	case "darwin":
		return "put it there: security add-generic-password -s authctl -a " + name + " -w; or " + otherwise
	case "windows":
		return "have authctl profile add keep it there; or " + otherwise
	}
	return "put it there: secret-tool store --label " + name + " service authctl username " + name + "; or " + otherwise
}

// hintOf returns what to do about a failure where the adapter does not know better.
func hintOf(f *providers.Failure) string {
	wait := time.Until(f.NotBefore)
	switch {
	case f.Hint != "":
		return f.Hint
	case wait > 0:
		// Rounded up: earlier than then it is no use.
		wait = (wait + time.Second - 1).Truncate(time.Second)
		return fmt.Sprintf("try again after %s (in %s)", moment.Text(f.NotBefore), moment.Lasting(wait))
	case f.Reason == providers.ReasonConfig:
		return "check {account,region,environment,base_url,grant} in the profile; --dry-run shows the request"
	}
	return ""
}

func kindOf(reason providers.Reason) string {
	switch reason {
	case providers.ReasonCredentials, providers.ReasonLogin:
		return "auth"
	case providers.ReasonScope, providers.ReasonConfig, providers.ReasonTemporary, providers.ReasonProtocol:
		return string(reason)
	}
	return "internal"
}

func kindOfLock(err *store.LockError) (string, string) {
	if err.Busy && err.Guards != "" {
		return "temporary", "another authctl is changing " + err.Guards + "; try again"
	}
	if err.Busy {
		return "temporary", "another authctl is fetching this token; raise --timeout, or try again"
	}
	return "store", "make the directory yours alone (chmod 700), or set AUTHCTL_RUNTIME_DIR to one that is"
}

func kindOfStore(err *store.UnusableError) (string, string) {
	if err.Problem == store.Unconfigured {
		return "config", cmp.Or(err.Hint, "set AUTHCTL_STORE_KEY_FILE to a file with an AGE-SECRET-KEY-1… identity")
	}
	return "store", err.Hint
}

// fail reports err on stderr, as the command's output format wants it, and
// returns the exit code.
func (a *app) fail(command *cobra.Command, err error) int {
	if child, ok := errors.AsType[*childError](err); ok {
		if child.err != nil {
			a.say(a.err.Bad("error:"), child.Error())
		}
		return child.code
	}
	if interrupted, ok := errors.AsType[Interrupted](err); ok {
		return 128 + int(interrupted.Signal)
	}
	name, hint := judge(err)
	failure, ok := errors.AsType[*providers.Failure](err)
	switch {
	case ok && failure.Reason == providers.ReasonLogin && failure.Hint == "":
		hint = cmp.Or(a.pipelineGrant, "log in: "+a.loginCommand)
	case ok && failure.RefreshToken && failure.Reason == providers.ReasonCredentials:
		hint = "log in again: " + a.loginCommand + "; if that is refused too, " + cmp.Or(hint, kinds()[name].hint)
	case name == "scope" && hint == "":
		hint = a.scopeHint()
	}
	row := kinds()[name]
	hint = a.names.In(cmp.Or(hint, row.hint))
	if a.wantsJSON(command) {
		// The object is all there is on stderr: a program reads it.
		a.failJSON(name, row, err, hint)
		return row.code
	}
	a.tellPending()
	for line := range strings.SplitSeq(err.Error(), "\n") {
		a.say(a.err.Bad("error:"), line)
	}
	if hint != "" {
		a.say(a.err.Notice("hint:"), hint)
	}
	return row.code
}

// scopeHint says what to do about a scope that was refused. Where a service has but one,
// there is nothing to spell, or to probe.
func (a *app) scopeHint() string {
	hint := kinds()["scope"].hint
	service, err := a.service(a.provider)
	if err != nil || service.Catalogue == nil {
		return hint
	}
	if known := service.Catalogue().Scopes; len(known) == 1 {
		return "check {scopes} in the profile: " + service.Title + " has the scope " + known[0].Name + " only"
	}
	return hint + "; or ask " + a.commandFor(a.profile, "scopes", "probe")
}

// failJSON writes the error as the one JSON object of the contract.
func (a *app) failJSON(name string, row kind, err error, hint string) {
	type report struct {
		Code      int    `json:"code"`
		Kind      string `json:"kind"`
		Provider  string `json:"provider"`
		Profile   string `json:"profile"`
		Message   string `json:"message"`
		Hint      string `json:"hint"`
		Retryable bool   `json:"retryable"`
	}
	text, _ := json.Marshal(map[string]report{"error": {
		Code: row.code, Kind: name, Provider: a.provider, Profile: cmp.Or(a.profile, profileOf(err)),
		Message: a.withheld(err.Error()), Hint: a.withheld(hint), Retryable: row.retryable,
	}}) // texts and numbers always encode
	_, _ = io.WriteString(a.Streams.Err, jsonText(string(text))+"\n")
}

// profileOf returns the profile that an error of the configuration is about.
func profileOf(err error) string {
	if e, ok := errors.AsType[*config.Error](err); ok {
		return e.Profile
	}
	if e, ok := errors.AsType[*providers.SettingError](err); ok {
		return e.Profile
	}
	return ""
}

// wantsJSON reports whether errors are to be JSON: by the parsed flag or, where
// the flags could not be parsed, by what stands in the arguments.
func (a *app) wantsJSON(command *cobra.Command) bool {
	if command != nil {
		if f := command.Flags().Lookup("output"); f != nil && f.Changed {
			return f.Value.String() == "json"
		}
	}
	return valueIn(a.Args, outputIn) == "json"
}

// valueIn returns the value of a flag as it stands in the arguments, where they may not
// have been parsed: that of its last place, empty for none.
func valueIn(args []string, in func(arg string) (value string, given bool)) string {
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	last := ""
	for i, arg := range args {
		value, given := in(arg)
		if given && value == "" && i+1 < len(args) {
			value = args[i+1]
		}
		if given {
			last = value
		}
	}
	return last
}

// variableIn returns the value of --var in an argument, empty when it is the next one.
func variableIn(arg string) (value string, given bool) {
	value, given = strings.CutPrefix(arg, "--var")
	return strings.TrimPrefix(value, "="), given && (value == "" || value[0] == '=')
}

// outputIn returns the value of --output in an argument, empty when it is the next
// one, in all the forms that pflag takes: -o, -ojson, -o=json, -qojson, --output=json.
func outputIn(arg string) (value string, given bool) {
	if value, given = strings.CutPrefix(arg, "--output"); given {
		return strings.TrimPrefix(value, "="), value == "" || value[0] == '='
	}
	if !strings.HasPrefix(arg, "-") || strings.HasPrefix(arg, "--") {
		return "", false
	}
	// What stands before it are the flags that take no value.
	before, value, given := strings.Cut(arg[1:], "o")
	return strings.TrimPrefix(value, "="), given && strings.Trim(before, "hqv") == ""
}

// say writes one line of the program's own to stderr.
func (a *app) say(label, text string) {
	a.tell(label + " " + strings.TrimSpace(a.withheld(text)))
}

// tell writes one line to stderr, or as many as a terminal there needs.
func (a *app) tell(text string) {
	_, _ = fmt.Fprintln(a.Streams.Err, term.Message("authctl: "+text, a.Streams.ErrWidth(a.LookupEnv)))
}

// wordVariables are the variables that take a name or one of a few words: what looks like
// a token there is one in the wrong place.
func wordVariables() []string {
	return []string{
		"AUTHCTL_PROFILE", "AUTHCTL_PROVIDER", "AUTHCTL_REGION", "AUTHCTL_ENVIRONMENT", "AUTHCTL_GRANT", "AUTHCTL_STORE",
		"AUTHCTL_MIN_TTL", "AUTHCTL_TIMEOUT", "AUTHCTL_NO_INPUT",
	}
}

// withheld returns text without what stands in the arguments, or in a variable that takes
// a word, and may be a token that somebody gave in the wrong place.
func (a *app) withheld(text string) string {
	given := slices.Clone(a.Args)
	for _, name := range wordVariables() {
		if a.LookupEnv != nil {
			value, _ := a.LookupEnv(name)
			given = append(given, value)
		}
	}
	for _, arg := range given {
		name, value, _ := strings.Cut(arg, "=")
		for _, word := range []string{arg, name, value} {
			if !secret.MayBeToken(word) {
				continue
			}
			// In quotes, as the flag it seems to be, and cut as long texts are.
			quoted := strconv.Quote(word)
			inQuotes, unflagged, cut := quoted[1:len(quoted)-1], strings.TrimLeft(word, "-"), word[:min(len(word), 190)]
			for _, form := range []string{word, inQuotes, unflagged, cut} {
				text = strings.ReplaceAll(text, form, "[not repeated]")
			}
		}
	}
	return text
}

// warn tells a person what they should know although the command succeeds.
func (a *app) warn(text string) {
	switch {
	case a.flags.quiet:
	case a.holding:
		a.pending = append(a.pending, text)
	default:
		a.say(a.err.Notice("warning:"), text)
	}
}

// tellPending gives the warnings that waited, and lets later ones wait no more.
func (a *app) tellPending() {
	a.holding = false
	for _, text := range a.pending {
		a.warn(text)
	}
	a.pending = nil
}

// sayIfInterrupted tells somebody who ended the questions what became of the answers.
func (a *app) sayIfInterrupted(err error, text string) {
	if _, ok := errors.AsType[Interrupted](err); ok {
		a.note(text)
	}
}

// note tells a person what was done.
func (a *app) note(text string) {
	if !a.flags.quiet {
		a.tell(a.withheld(text))
	}
}

// childCode returns the exit code of a child as a shell would report it.
func childCode(err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return &childError{code: 128 + int(status.Signal())}
		}
		return &childError{code: exit.ExitCode()}
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return &childError{code: 127, err: err}
	}
	return &childError{code: 126, err: err}
}
