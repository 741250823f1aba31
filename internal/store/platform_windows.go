package store

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/authctl/authctl/internal/secret"
	"golang.org/x/sys/windows"
)

// runtimeDir is below the user's local application data, as Windows itself names
// it: the environment has no say in it.
func runtimeDir() (string, error) {
	local, err := windows.KnownFolderPath(windows.FOLDERID_LocalAppData, windows.KF_FLAG_DEFAULT)
	if err != nil {
		return "", err
	}
	return filepath.Join(local, "authctl", "run"), nil
}

// permissions: access below the user's profile is governed by inherited lists that keep
// other users out; the mode bits Go reports say nothing.
func permissions(fs.FileInfo) fs.FileMode { return 0 }

// systemMaxRecord is CRED_MAX_CREDENTIAL_BLOB_SIZE, 5 * 512 bytes
// (https://learn.microsoft.com/windows/win32/api/wincred/ns-wincred-credentialw).
const systemMaxRecord = 2560

const noKeyringHint = "use a logon session of a user: services and some remote logons have no Credential Manager"

// systemProblem sorts an error of the Credential Manager.
func systemProblem(err error) (Problem, error) {
	if errors.Is(err, windows.ERROR_NO_SUCH_LOGON_SESSION) {
		return Unreachable, errors.New("this logon session has no Credential Manager")
	}
	return Refused, errors.New(secret.Quote(err.Error()))
}

// systemKeyringName names the keyring for people.
func systemKeyringName() string { return "the Credential Manager" }
