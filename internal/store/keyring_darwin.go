package store

import (
	"errors"

	"github.com/authctl/authctl/internal/secret"
)

// systemMaxRecord is what go-keyring can hand to security(1): a command of 4,096
// bytes, of which names take some 125 and Base64 a quarter of the rest, leaves
// 2,976.
const systemMaxRecord = 2900

const noKeyringHint = "create a login keychain in Keychain Access"

// The exit statuses of security(1): the lowest byte of the codes in
// <Security/SecBase.h>.
const (
	exitInteractionNotAllowed = 36  // errSecInteractionNotAllowed, -25308
	exitNoDefaultKeychain     = 37  // errSecNoDefaultKeychain, -25307
	exitAuthFailed            = 51  // errSecAuthFailed, -25293
	exitUserCanceled          = 128 // userCanceledErr, -128
)

// systemProblem sorts an error of security(1).
func systemProblem(err error) (Problem, error) {
	exited, ok := errors.AsType[interface {
		error
		ExitCode() int
	}](err)
	if !ok {
		return Refused, errors.New(secret.Quote(err.Error()))
	}
	switch exited.ExitCode() {
	case exitInteractionNotAllowed, exitAuthFailed, exitUserCanceled:
		return Locked, errors.New("the keychain is locked, or its prompt was dismissed")
	case exitNoDefaultKeychain:
		return Unreachable, errors.New("there is no default keychain")
	default:
		return Refused, errors.New(secret.Quote(err.Error()))
	}
}

// systemKeyringName names the keyring for people.
func systemKeyringName() string { return "the login keychain" }
