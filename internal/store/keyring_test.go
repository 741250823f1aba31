package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

// fakeKeyring is a keyring in memory that can be told to misbehave.
type fakeKeyring struct {
	mu      sync.Mutex
	entries map[string]string
	calls   []string
	// fail is returned by every call, before is called at the start of each.
	fail   error
	before func()
	// dismiss makes Set and Delete report success and do nothing.
	dismiss bool
}

func (f *fakeKeyring) call(name string) error {
	f.mu.Lock()
	f.calls = append(f.calls, name)
	f.mu.Unlock()
	if f.before != nil {
		f.before()
	}
	return f.fail
}

// called returns the calls since it was asked last.
func (f *fakeKeyring) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

func (f *fakeKeyring) Get(service, account string) (string, error) {
	if err := f.call("get"); err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	value, ok := f.entries[service+" "+account]
	if !ok {
		return "", ErrNotFound
	}
	return value, nil
}

func (f *fakeKeyring) Set(service, account, value string) error {
	if err := f.call("set"); err != nil || f.dismiss {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.entries == nil {
		f.entries = make(map[string]string)
	}
	f.entries[service+" "+account] = value
	return nil
}

func (f *fakeKeyring) Delete(service, account string) error {
	if err := f.call("delete"); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.entries[service+" "+account]; !ok {
		return ErrNotFound
	}
	if !f.dismiss {
		delete(f.entries, service+" "+account)
	}
	return nil
}

// newKeyring returns a store over a keyring with directories of its own. The timeout
// is long: only tests of the timeout may meet it.
func newKeyring(t *testing.T, fake *fakeKeyring) *Keyring {
	t.Helper()
	dir := t.TempDir()
	k := &Keyring{
		FileLocks: FileLocks{Dir: filepath.Join(dir, "run")},
		StateDir:  filepath.Join(dir, "state"),
		Timeout:   time.Minute,
	}
	if fake != nil {
		k.backend = &library{fake.Get, fake.Set, fake.Delete, k.index, k.warnOfIndex}
	}
	return k
}

func TestKeyring(t *testing.T) {
	t.Parallel()
	contract(t, func(t *testing.T) Store { return newKeyring(t, &fakeKeyring{}) })
}

func TestKeyringSealed(t *testing.T) {
	t.Parallel()
	contract(t, func(t *testing.T) Store {
		k := newKeyring(t, &fakeKeyring{})
		k.MaxRecord = 700
		return k
	})
}

func TestKeyringAllSealed(t *testing.T) {
	t.Parallel()
	contract(t, func(t *testing.T) Store {
		k := newKeyring(t, &fakeKeyring{})
		k.MaxRecord = 1
		return k
	})
}

func TestKeyringCalls(t *testing.T) {
	t.Parallel()
	fake := &fakeKeyring{}
	k := newKeyring(t, fake)
	r := testRecord(t)
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"put", func() error { return k.Put(t.Context(), r) }, []string{"set", "get"}},
		{"get", func() error { _, err := k.Get(t.Context(), r.Key); return err }, []string{"get"}},
		{"delete", func() error { return k.Delete(t.Context(), r.Key) }, []string{"delete", "delete"}},
		{"delete nothing", func() error { return k.Delete(t.Context(), r.Key) }, []string{"delete"}},
	} {
		fake.called()
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, fake.called()); diff != "" {
			t.Errorf("%s calls the keyring (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestKeyringReadsNoFile(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, &fakeKeyring{})
	mustPut(t, k, testRecord(t))
	if err := os.RemoveAll(k.StateDir); err != nil {
		t.Fatal(err)
	}
	mustGet(t, k, testRecord(t).Key)
}

func TestKeyringSealedFiles(t *testing.T) {
	t.Parallel()
	fake := &fakeKeyring{}
	k := newKeyring(t, fake)
	k.MaxRecord = 2000
	small, big := testRecord(t), testRecord(t)
	big.Token.AccessToken = secret.New(strings.Repeat("x", 3000))
	path := filepath.Join(k.StateDir, "sealed", big.Key.Digest()+".age")
	exists := func() bool { _, err := os.Stat(path); return err == nil }

	mustPut(t, k, big)
	if entry := fake.entries["authctl "+big.Key.Digest()]; !exists() || len(entry) > 2000 {
		t.Errorf("a big record is %d bytes in the keyring, and its file is there: %v", len(entry), exists())
	}
	if text, err := os.ReadFile(path); err != nil || bytes.Contains(text, []byte("xxxxxxxx")) {
		t.Errorf("the sealed file holds the token in plain text, or: %v", err)
	}
	mustPut(t, k, small)
	if exists() {
		t.Error("a small record leaves the sealed file of the big one behind")
	}
	mustPut(t, k, big)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wantNone(t, k, big.Key)
	mustPut(t, k, big)
	if err := k.Delete(t.Context(), big.Key); err != nil || exists() {
		t.Errorf("Delete leaves the sealed file behind (%v)", err)
	}

	fake.dismiss = true
	wantProblem(t, k.Put(t.Context(), big), Locked)
	if exists() {
		t.Error("a failed write leaves a sealed file behind that nobody has the key of")
	}
	k.StateDir, fake.dismiss = "", false
	wantProblem(t, k.Put(t.Context(), big), Refused)
}

// A keychain whose prompt is dismissed may report success.
func TestKeyringDismissed(t *testing.T) {
	t.Parallel()
	fake := &fakeKeyring{}
	k := newKeyring(t, fake)
	r := testRecord(t)
	fake.dismiss = true
	wantProblem(t, k.Put(t.Context(), r), Locked)
	wantProblem(t, k.SetSecret(t.Context(), "a", secret.New("fake")), Locked)

	fake.dismiss = false
	mustPut(t, k, r)
	fake.dismiss = true
	later := testRecord(t)
	later.Token.RequestedAt = later.Token.RequestedAt.Add(time.Second)
	wantProblem(t, k.Put(t.Context(), later), Locked)
	wantProblem(t, k.Delete(t.Context(), r.Key), Locked)
	if list, err := k.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("the record that could not be deleted is not listed: %v, %v", list, err)
	}
}

// What another process wrote in the meantime is as good.
func TestKeyringOverwritten(t *testing.T) {
	t.Parallel()
	fake := &fakeKeyring{dismiss: true}
	k := newKeyring(t, fake)
	theirs := testRecord(t)
	theirs.Token.AccessToken = secret.New("fake-theirs")
	plain, err := EncodeRecord(theirs)
	if err != nil {
		t.Fatal(err)
	}
	fake.entries = map[string]string{"authctl " + theirs.Key.Digest(): string(plain)}
	mustPut(t, k, testRecord(t))
}

func TestKeyringSilent(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	defer close(hang)
	fake := &fakeKeyring{before: func() { <-hang }}
	k := newKeyring(t, fake)
	k.Timeout = 10 * time.Millisecond
	_, err := k.Get(t.Context(), testRecord(t).Key)
	e := wantProblem(t, err, Locked)
	if !strings.Contains(e.Error(), "10ms") || e.Hint == "" {
		t.Errorf("the error is %q, its hint %q", e, e.Hint)
	}
	wantProblem(t, k.Put(t.Context(), testRecord(t)), Locked)
	wantProblem(t, k.Delete(t.Context(), testRecord(t).Key), Locked)
	_, err = k.Secret(t.Context(), "a")
	wantProblem(t, err, Locked)
	if diff := cmp.Diff([]string{"get"}, fake.called()); diff != "" {
		t.Errorf("after a timeout the keyring is still called (-want +got):\n%s", diff)
	}
}

func TestKeyringCancelled(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	fake := &fakeKeyring{}
	ctx, cancel := context.WithCancel(t.Context())
	fake.before = func() { cancel(); <-hang }
	k := newKeyring(t, fake)
	_, err := k.Get(ctx, testRecord(t).Key)
	if wantProblem(t, err, Locked); !errors.Is(err, context.Canceled) {
		t.Errorf("the error hides that the caller gave up: %v", err)
	}
	close(hang)
	// A caller who gave up says nothing about the keyring.
	fake.before = nil
	wantNone(t, k, testRecord(t).Key)
}

func TestKeyringIndex(t *testing.T) {
	t.Parallel()
	fake := &fakeKeyring{}
	k := newKeyring(t, fake)
	var warnings []string
	k.Warn = func(message string) { warnings = append(warnings, message) }
	r, lost := testRecord(t), testRecord(t)
	lost.Key.User = "lost"
	mustPut(t, k, r)
	mustPut(t, k, lost)
	delete(fake.entries, "authctl "+lost.Key.Digest())
	for range 2 {
		fake.called()
		list, err := k.List(t.Context())
		if err != nil || len(list) != 1 || !list[0].Key.Equal(r.Key) {
			t.Errorf("List() = %v, %v, want the one that is there", list, err)
		}
	}
	if calls := fake.called(); len(calls) != 1 {
		t.Errorf("the second listing still asks for what is gone: %v", calls)
	}

	// The index is a convenience: a token is stored without it too.
	k.StateDir = t.TempDir()
	if err := os.WriteFile(filepath.Join(k.StateDir, "index"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mustPut(t, k, r)
	mustGet(t, k, r.Key)
	if len(warnings) != 1 || !strings.Contains(warnings[0], "index") {
		t.Errorf("warnings about the index: %q", warnings)
	}
}

func TestNamedSecrets(t *testing.T) {
	t.Parallel()
	testNamedSecrets(t, newKeyring(t, &fakeKeyring{}))
}

func testNamedSecrets(t *testing.T, k *Keyring) {
	t.Helper()
	const name = "team/genesys.api_key-1"
	if _, err := k.Secret(t.Context(), name); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), name) {
		t.Errorf("Secret() = %v, want ErrNotFound that names it", err)
	}
	for _, value := range []string{"fake-one", "fake \"two\"\n$x ä"} {
		if err := k.SetSecret(t.Context(), name, secret.New(value)); err != nil {
			t.Fatal(err)
		}
		if got, err := k.Secret(t.Context(), name); err != nil || got.Reveal() != value {
			t.Errorf("Secret() = %q, %v, want %q", got.Reveal(), err, value)
		}
	}
	for range 2 {
		if err := k.DeleteSecret(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Secret(t.Context(), name); !errors.Is(err, ErrNotFound) {
		t.Errorf("Secret() after DeleteSecret = %v", err)
	}
}

func TestSecretNames(t *testing.T) {
	t.Parallel()
	fake := &fakeKeyring{}
	k := newKeyring(t, fake)
	for _, name := range []string{
		"", strings.Repeat("x", 129), "a b", "a\nb", `a"b`, "ä", "a:b", testRecord(t).Key.Digest(),
		strings.Repeat("AB", 32),
	} {
		_, err := k.Secret(t.Context(), name)
		wantProblem(t, err, Refused)
		wantProblem(t, k.SetSecret(t.Context(), name, secret.New("fake")), Refused)
		wantProblem(t, k.DeleteSecret(t.Context(), name), Refused)
	}
	wantProblem(t, k.SetSecret(t.Context(), "a", secret.Secret{}), Refused)
	if calls := fake.called(); len(calls) != 0 {
		t.Errorf("the keyring was asked: %v", calls)
	}
}
