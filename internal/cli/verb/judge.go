package verb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/loopback"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
)

// Error is an error of a command's own: its kind in the table of exit codes, and what to do.
type Error struct {
	// Kind is a row of the table: "usage", "scope", "temporary".
	Kind string
	// Hint says what to do; empty means the usual of the kind.
	Hint string
	// Message is the error's text, empty for that of Err.
	Message string
	// Err is what it wraps, nil for nothing.
	Err error
}

// Error returns the text.
func (e *Error) Error() string {
	if e.Message == "" && e.Err != nil {
		return e.Err.Error()
	}
	return e.Message
}

// Unwrap returns what it wraps.
func (e *Error) Unwrap() error { return e.Err }

// Usagef is the error of a flag or an argument that is wrong.
func Usagef(format string, args ...any) error {
	return &Error{Kind: "usage", Err: fmt.Errorf(format, args...)}
}

// Judge is the one place that turns an error into a kind and a hint. What is wrong
// with a secret's reference comes first: it may wrap the keyring's error.
func Judge(err error) (kind, hint string) {
	if name, hint, ok := judgeConfig(err); ok {
		return name, hint
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind, e.Hint
	}
	if _, ok := errors.AsType[*providers.UnsupportedError](err); ok {
		return "unsupported", ""
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
	if errors.Is(err, context.DeadlineExceeded) {
		return "temporary", "raise --timeout, or try again later"
	}
	return "internal", ""
}

// Advise is Judge with what a command is about: who has to log in, and how.
func (s Subject) Advise(err error) (kind, hint string) {
	kind, hint = Judge(err)
	failure, ok := errors.AsType[*providers.Failure](err)
	switch {
	case ok && failure.Reason == providers.ReasonLogin && failure.Hint == "":
		hint = cmp.Or(s.PipelineGrant, "log in: "+s.LoginCommand)
	case ok && failure.RefreshToken && failure.Reason == providers.ReasonCredentials:
		hint = "log in again: " + s.LoginCommand + "; if that is refused too, " + cmp.Or(hint, CheckCredentials)
	case ok && failure.AccessToken && hint == "":
		hint = "get a new one: " + s.RenewCommand + "; or log in again"
	}
	return kind, hint
}

// CheckCredentials is the hint where a service refused the credentials and says no more.
const CheckCredentials = "check {credentials} in the profile; --dry-run shows the request"

// judgeConfig knows the errors of configuration and secrets.
func judgeConfig(err error) (name, hint string, ok bool) {
	e, isSet := errors.AsType[*setting.Error](err)
	if errors.Is(err, term.ErrNoInput) {
		return "config", inputHint(err, isSet && e.Reference != ""), true
	}
	if _, ok := errors.AsType[*term.TypedError](err); ok {
		return "config", "give a reference to it instead, such as file:PATH", true
	}
	switch {
	case isSet && errors.Is(err, edit.ErrChanged):
		return "temporary", e.Help, true
	case isSet && e.Reference != "":
		return "config", cmp.Or(e.Help, keyringRemedy(e)), true
	case isSet:
		return "config", e.Help, true
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
func keyringRemedy(e *setting.Error) string {
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

// hintOf returns what to do about a failure where the service does not say it itself.
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
	if unusable, ok := errors.AsType[*store.UnusableError](err.Err); ok {
		return kindOfStore(unusable)
	}
	return "store", "make the directory yours alone (chmod 700), or set AUTHCTL_RUNTIME_DIR to one that is"
}

func kindOfStore(err *store.UnusableError) (string, string) {
	if err.Problem == store.Unconfigured {
		return "config", err.Hint
	}
	return "store", err.Hint
}
