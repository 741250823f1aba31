package config

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
)

// Environment is what variables say beside the settings of a profile. Empty
// variables count as unset.
type Environment struct {
	// Store is AUTHCTL_STORE: auto, keyring, file, memory or empty.
	Store string
	// StoreDir is AUTHCTL_STORE_DIR.
	StoreDir string
	// RuntimeDir is AUTHCTL_RUNTIME_DIR.
	RuntimeDir string
	// StoreKey fetches the file store's key of AUTHCTL_STORE_KEY or its twins
	// with _FILE and _CMD; nil without any. Its errors are *source.Error.
	StoreKey secret.Func
	// MinTTL is AUTHCTL_MIN_TTL, nil when unset, since 0 means something.
	MinTTL *time.Duration
	// Timeout is AUTHCTL_TIMEOUT, 0 when unset.
	Timeout time.Duration
	// NoInput is AUTHCTL_NO_INPUT: 1, true, yes or on; 0, false, no or off.
	NoInput bool
}

// storeKey is the variable of the file store's key, which has two twins.
const storeKey = "AUTHCTL_STORE_KEY"

// ReadEnvironment reads the variables that are no settings; AUTHCTL_CONFIG,
// AUTHCTL_PROFILE and AUTHCTL_PROVIDER are read by Load and Profile. Durations
// are as ParseDuration reads them. Errors are *Error and name the variable.
func ReadEnvironment(f *source.Fetcher) (e Environment, err error) {
	env := environ{f.Env}
	e.Store = env.Get("AUTHCTL_STORE")
	if e.StoreDir, err = env.path("AUTHCTL_STORE_DIR"); err != nil {
		return Environment{}, err
	}
	if e.RuntimeDir, err = env.path("AUTHCTL_RUNTIME_DIR"); err != nil {
		return Environment{}, err
	}
	stores := []string{"auto", "keyring", "file", "memory"}
	if e.Store != "" && !slices.Contains(stores, e.Store) {
		return Environment{}, badVariable("AUTHCTL_STORE", e.Store, "is not a store", didYouMean(e.Store, stores))
	}
	if e.NoInput, err = env.truth("AUTHCTL_NO_INPUT"); err != nil {
		return Environment{}, err
	}
	if e.MinTTL, err = env.duration("AUTHCTL_MIN_TTL"); err != nil {
		return Environment{}, err
	}
	timeout, err := env.duration("AUTHCTL_TIMEOUT")
	if err != nil {
		return Environment{}, err
	}
	if timeout != nil {
		e.Timeout = *timeout
		if e.Timeout == 0 {
			return Environment{}, badVariable("AUTHCTL_TIMEOUT", env.Get("AUTHCTL_TIMEOUT"), "leaves no time", "write 30s or 2m")
		}
	}
	e.StoreKey, err = readStoreKey(f)
	return e, err
}

// environ reads variables that mean something else than text.
type environ struct{ files.Environ }

func (e environ) path(name string) (string, error) { return Path(e.Environ, name, e.Get(name)) }

func badVariable(name, value, problem, suggestion string) *Error {
	return wrong(name, fmt.Sprintf("%q %s", files.Short(value), problem), suggestion)
}

func (e environ) duration(name string) (*time.Duration, error) {
	text := e.Get(name)
	if text == "" {
		return nil, nil
	}
	d, err := ParseDuration(text)
	if err != nil {
		return nil, badVariable(name, text, err.Error(), "")
	}
	return &d, nil
}

func (e environ) truth(name string) (bool, error) {
	switch text := e.Get(name); strings.ToLower(text) {
	case "1", "true", "yes", "on":
		return true, nil
	case "", "0", "false", "no", "off":
		return false, nil
	default:
		return false, badVariable(name, text, "is neither true nor false", "write 1 or 0")
	}
}

// keyReferences are the twins of AUTHCTL_STORE_KEY that are set.
func keyReferences(env files.Environ) []source.Need {
	var all []source.Need
	for _, twin := range []struct{ suffix, kind string }{{"_FILE", "file"}, {"_CMD", "cmd"}} {
		if arg := env.Get(storeKey + twin.suffix); arg != "" {
			name := storeKey + twin.suffix
			ref := source.Reference{Kind: twin.kind, Arg: arg}
			all = append(all, source.Need{Setting: name, Origin: "environment " + name, Reference: ref})
		}
	}
	return all
}

// readStoreKey reads the one of three variables that is set.
func readStoreKey(f *source.Fetcher) (fetch secret.Func, err error) {
	var given []string
	if value := f.Env.Raw(storeKey); value != "" {
		given = append(given, storeKey)
		fetch, _ = f.Given(storeKey, value)
	}
	for _, n := range keyReferences(f.Env) {
		given = append(given, n.Setting)
		fetch = f.Bind(n)
	}
	if len(given) > 1 {
		return nil, wrong(strings.Join(given, " and "), "are set together", "keep one of them")
	}
	return fetch, nil
}

// InspectStoreKey looks for the key of the file store, which AUTHCTL_STORE_KEY or
// one of its twins gives; false when none of them is set.
func InspectStoreKey(ctx context.Context, f *source.Fetcher) (source.Inspection, bool) {
	for _, n := range keyReferences(f.Env) {
		return f.Inspect(ctx, n), true
	}
	return source.Inspection{Setting: storeKey, Origin: "environment " + storeKey}, f.Env.Raw(storeKey) != ""
}

// InCI reports whether this is a pipeline: CI is set, and to nothing that means no. Most
// systems write true, others 1 or their own name.
func InCI(env files.Environ) bool {
	yes, err := environ{env}.truth("CI")
	return yes || err != nil
}

// ParseDuration reads a duration of zero or more, as Go writes it (90s, 5m) or in
// whole seconds (300).
func ParseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if seconds, whole := strconv.ParseInt(text, 10, 32); whole == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	switch {
	case err != nil:
		return 0, errors.New("is not a duration: write 30s or 2m")
	case d < 0:
		return 0, errors.New("is negative: write 30s or 2m")
	}
	return d, nil
}
