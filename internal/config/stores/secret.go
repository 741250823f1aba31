package stores

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// The keys at the margin of a configuration that are references to what a store is opened with.
const (
	// Key is that of the sealed records, an age identity.
	Key = "store_key"
	// Password is what the engine of a shared store asks for, and SentinelPassword what the
	// sentinels do that know where it is.
	Password         = "store_password"
	SentinelPassword = "store_sentinel_password"
	// TLSCertificate is what this machine shows the engine of who it is, with its TLSKey where that
	// is elsewhere and the TLSPassword that opens it, as the settings of a service have them.
	TLSCertificate = TLS + "certificate"
	TLSKey         = TLS + "key"
	TLSPassword    = TLS + "password"
	// TLS begins these three, and the name of a part of a certificate ends them.
	TLS = "store_tls_"
)

// Variable is the environment variable of Key or Password, which has two twins.
func Variable(key string) string { return "AUTHCTL_" + strings.ToUpper(key) }

// Secret is where something that a store is opened with is.
type Secret struct {
	// Need has no Reference where a variable holds the secret by value.
	source.Need
	// From names for people what gives the secret: "AUTHCTL_STORE_KEY_FILE", "store_key in
	// /path/config.yaml:4"; empty when nothing does.
	From string
	// Fetch fetches it, nil when nothing gives one. Its errors are *setting.Error.
	Fetch secret.Func

	entry Entry
}

// Secret returns where the secret is that the entry has a reference to, the zero one when it has
// none. What is relative in it begins where the file is. Errors are *setting.Error.
func (e Entry) Secret(f *source.Fetcher) (Secret, error) {
	if e.Text == "" {
		return Secret{}, nil
	}
	ref, ok := source.Parse(e.Text)
	switch {
	case !ok, ref.IsToken():
		return Secret{}, e.at(source.NotReference(e.Key, false))
	case ref.Asks():
		return Secret{}, e.at(setting.Wrong(e.Key, "cannot be "+ref.Kind+": every call needs it",
			"use env:NAME, file:PATH, cmd:COMMAND or keyring:NAME"))
	}
	ref.Dir = filepath.Dir(e.Path)
	place := setting.Place(e.Path, e.Line)
	s := Secret{From: e.Key + " in " + place, entry: e}
	s.Need = source.Need{Setting: e.Key, Origin: place, Reference: ref}
	fetch := f.Bind(s.Need)
	s.Fetch = func(ctx context.Context) (secret.Secret, error) {
		value, err := fetch(ctx)
		return value, s.at(err)
	}
	return s, nil
}

// Given returns where a secret is that a variable or one of its twins with _FILE and _CMD gives,
// the zero one when none does. Errors are *setting.Error.
func Given(f *source.Fetcher, variable string) (Secret, error) {
	set, ref := source.Variables(f.Env, variable, "file", "cmd")
	switch len(set) {
	case 0:
		return Secret{}, nil
	case 1:
	default:
		return Secret{}, setting.Wrong(strings.Join(set, " and "), "are set together", "keep one of them")
	}
	s := Secret{From: set[0], Need: source.Need{Setting: set[0], Origin: "environment " + set[0], Reference: ref}}
	if s.Fetch = f.Bind(s.Need); ref.Kind == "" {
		s.Fetch, _ = f.Given(variable, f.Env.Raw(variable))
	}
	return s, nil
}

// at completes an error of the secret with where it is asked for.
func (s Secret) at(err error) error {
	err = s.entry.at(err)
	e, ok := errors.AsType[*setting.Error](err)
	if ok && s.Setting == Key && s.Kind == "file" && errors.Is(err, fs.ErrNotExist) {
		e.Help += "; a new key is made there by: authctl store init"
	}
	return err
}

// Wrong is the error of a secret that was had and cannot be used, or of the key that lacks one.
func (s Secret) Wrong(key, problem, help string) error {
	if s.From == "" {
		return setting.Wrong(key, problem, help)
	}
	return s.at(s.Failed(setting.Wrong("", problem, help)))
}

// Inspect looks for the secret without running anything; false when nothing gives one.
func (s Secret) Inspect(ctx context.Context, f *source.Fetcher) (source.Inspection, bool) {
	if s.Kind == "" {
		return source.Inspection{Need: s.Need}, s.From != ""
	}
	found := f.Inspect(ctx, s.Need)
	if s.entry.Path != "" {
		found.Err = s.at(found.Err)
	}
	return found, true
}
