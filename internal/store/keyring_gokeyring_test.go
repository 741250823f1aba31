//go:build windows || darwin

package store

import (
	"errors"
	"testing"

	"github.com/zalando/go-keyring"
)

func TestLibraryProblem(t *testing.T) {
	t.Parallel()
	if err := libraryProblem(keyring.ErrNotFound); !errors.Is(err, ErrNotFound) {
		t.Errorf("no entry is %v", err)
	}
	for err, want := range map[error]Problem{
		keyring.ErrSetDataTooBig: Refused, keyring.ErrUnsupportedPlatform: Unreachable,
	} {
		k := newKeyring(t, &fakeKeyring{fail: libraryProblem(err)})
		wantProblem(t, k.Put(t.Context(), testRecord(t)), want)
	}
}
