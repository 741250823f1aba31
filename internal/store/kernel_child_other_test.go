//go:build !linux

package store

import (
	"strings"
	"testing"
)

func kernelChild(string) int { return 2 }

func TestKernelElsewhere(t *testing.T) {
	t.Parallel()
	k := &Kernel{Dir: t.TempDir()}
	_, getErr := k.Get(t.Context(), testRecord(t).Key)
	_, listErr := k.List(t.Context())
	_, inspectErr := k.Inspect(t.Context())
	for _, err := range []error{
		getErr, listErr, inspectErr, k.Put(t.Context(), testRecord(t)), k.Delete(t.Context(), testRecord(t).Key),
	} {
		if e := wantProblem(t, err, Unreachable); !strings.Contains(e.Error(), "this system has no kernel keyring") {
			t.Errorf("the error is %q", e)
		}
	}
}
