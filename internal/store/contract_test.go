package store_test

import (
	"os"
	"testing"

	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/storetest"
)

// TestMain also serves the child processes of the tests.
func TestMain(m *testing.M) {
	if code := store.Child(); code >= 0 {
		os.Exit(code)
	}
	store.SetContract(func(t *testing.T, newStore func(t *testing.T) store.Store) {
		t.Helper()
		storetest.Contract{New: newStore}.Run(t)
	})
	os.Exit(m.Run())
}
