package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// StoreNames are the stores that may be chosen by a name, the default first.
func StoreNames() []string { return []string{"auto", "keyring", "kernel", "file", "memory"} }

// Choice is what was chosen, and where.
type Choice struct {
	Text string
	// Origin is where: "flag --store", "environment AUTHCTL_STORE", "/path/config.yaml:3",
	// or "default".
	Origin string
	// Line is that of the file, 0 when it is not what says so.
	Line int
}

// CheckStore returns an *setting.Error unless text names a store. key is what gives it: a
// flag, a variable or the key of the file.
func CheckStore(key, text string) error {
	scheme, _, isURL := strings.Cut(text, "://")
	switch scheme = strings.ToLower(scheme); {
	case slices.Contains(StoreNames(), text):
		return nil
	case isURL && (scheme == "redis" || scheme == "rediss"):
		return checkRedis(key, text)
	case isURL:
		return setting.Wrong(key, "is an address, and not one of a store", setting.DidYouMean("", StoreNames()))
	}
	return setting.Wrong(key, fmt.Sprintf("%q is not a store", files.Short(text)), setting.DidYouMean(text, StoreNames()))
}

// checkRedis repeats nothing of the address: it may hold a password.
func checkRedis(key, text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return setting.Wrong(key, "is not an address", "write redis://HOST:6379/0 or rediss://HOST:6379/0")
	}
	if _, inside := u.User.Password(); inside || u.Query().Has("password") {
		return setting.Wrong(key, "has a password in its address",
			"take it out, and give a reference to it: store_password: env:NAME")
	}
	return setting.Wrong(key, "names a shared store, which this version does not have yet",
		setting.DidYouMean("", StoreNames()))
}

// Store returns the store that the file names, "auto" when it names none. Errors are
// *setting.Error. A nil file names none.
func (f *File) Store() (Choice, error) {
	if f == nil {
		f = &File{}
	}
	text, path, line, err := f.top("store")
	if err != nil || text == "" {
		return Choice{Text: StoreNames()[0], Origin: "default"}, err
	}
	return Choice{Text: text, Line: line, Origin: place(path, line)}, onLine(path, line, CheckStore("store", text))
}

// onLine completes an error with a file and a line of it, where it has none.
func onLine(path string, line int, err error) error {
	if e, ok := errors.AsType[*setting.Error](err); ok && e.Path == "" {
		e.Path = path
		if e.Line == 0 {
			e.Line = line
		}
	}
	return err
}

// StoreKey is where the key of the file store is.
type StoreKey struct {
	// Need has no Reference where a variable holds the key by value.
	source.Need
	// From names for people what gives the key: "AUTHCTL_STORE_KEY_FILE", "store_key in
	// /path/config.yaml:4"; empty when nothing does.
	From string
	// Fetch fetches it, nil when nothing gives one. Its errors are *setting.Error.
	Fetch secret.Func

	path string
	line int
}

// StoreKey returns where the key of the file store is, as the file says. Errors are
// *setting.Error. A nil file says nothing.
func (f *File) StoreKey() (StoreKey, error) { return f.storeSecret("store_key") }

// StorePassword is as StoreKey, for the password of a shared store.
func (f *File) StorePassword() (StoreKey, error) { return f.storeSecret("store_password") }

func (f *File) storeSecret(name string) (StoreKey, error) {
	if f == nil {
		return StoreKey{}, nil
	}
	text, path, line, err := f.top(name)
	if err != nil || text == "" {
		return StoreKey{}, err
	}
	ref, ok := source.Parse(text)
	switch {
	case !ok, ref.IsToken():
		return StoreKey{}, onLine(path, line, notAReference(name, false))
	case ref.Asks():
		return StoreKey{}, onLine(path, line, setting.Wrong(name, "cannot be "+ref.Kind+": every call needs it",
			"use env:NAME, file:PATH, cmd:COMMAND or keyring:NAME"))
	}
	ref.Dir = filepath.Dir(path)
	k := StoreKey{From: name + " in " + place(path, line), path: path, line: line}
	k.Need = source.Need{Setting: name, Origin: place(path, line), Reference: ref}
	fetch := f.options.Fetcher.Bind(k.Need)
	k.Fetch = func(ctx context.Context) (secret.Secret, error) {
		value, err := fetch(ctx)
		return value, k.onLine(err)
	}
	return k, nil
}

// onLine completes an error of the key with where it is asked for.
func (k StoreKey) onLine(err error) error {
	err = onLine(k.path, k.line, err)
	e, ok := errors.AsType[*setting.Error](err)
	if ok && k.Setting == "store_key" && k.Kind == "file" && errors.Is(err, fs.ErrNotExist) {
		e.Help += "; a new key is made there by: authctl store init"
	}
	return err
}

// Inspect looks for the key without running anything; false when nothing gives one.
func (k StoreKey) Inspect(ctx context.Context, f *source.Fetcher) (source.Inspection, bool) {
	if k.Kind == "" {
		return source.Inspection{Need: k.Need}, k.From != ""
	}
	found := f.Inspect(ctx, k.Need)
	if k.path != "" {
		found.Err = k.onLine(found.Err)
	}
	return found, true
}
