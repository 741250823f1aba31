package store

import (
	"errors"

	"golang.org/x/sys/windows"
)

// systemMaxRecord is CRED_MAX_CREDENTIAL_BLOB_SIZE, 5 * 512 bytes
// (https://learn.microsoft.com/windows/win32/api/wincred/ns-wincred-credentialw).
const systemMaxRecord = 2560

const noKeyringHint = "use a logon session of a user: services and some remote logons have no Credential Manager"

// systemProblem sorts an error of the Credential Manager.
func systemProblem(err error) (Problem, error) {
	if errors.Is(err, windows.ERROR_NO_SUCH_LOGON_SESSION) {
		return Unreachable, errors.New("this logon session has no Credential Manager")
	}
	return Refused, errors.New(quoted(err.Error()))
}
