package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/secret"
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
	// with _FILE and _CMD; nil without any. Its errors are *ReferenceError.
	StoreKey secret.Func
	// MinTTL is AUTHCTL_MIN_TTL, nil when unset, since 0 means something.
	MinTTL *time.Duration
	// Timeout is AUTHCTL_TIMEOUT, 0 when unset.
	Timeout time.Duration
	// NoInput is AUTHCTL_NO_INPUT: 1, true, yes or on; 0, false, no or off.
	NoInput bool
}

// ReadEnvironment reads the variables that are no settings; AUTHCTL_CONFIG,
// AUTHCTL_PROFILE and AUTHCTL_PROVIDER are read by Load and Profile. Durations
// are as ParseDuration reads them. A nil lookup means os.LookupEnv. Errors are
// *Error and name the variable.
func ReadEnvironment(lookup func(string) (string, bool), r Resolver) (Environment, error) {
	env := environ(lookup)
	e := Environment{Store: env.get("AUTHCTL_STORE")}
	var err error
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
			return Environment{}, badVariable("AUTHCTL_TIMEOUT", env.get("AUTHCTL_TIMEOUT"), "leaves no time", "write 30s or 2m")
		}
	}
	e.StoreKey, err = storeKey(env, newResolver(r, env))
	return e, err
}

func badVariable(name, value, problem, suggestion string) *Error {
	return &Error{Key: name, Problem: fmt.Sprintf("%q %s", printable(value), problem), Suggestion: suggestion}
}

func (e environ) duration(name string) (*time.Duration, error) {
	text := e.get(name)
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
	switch text := e.get(name); strings.ToLower(strings.TrimSpace(text)) {
	case "1", "true", "yes", "on":
		return true, nil
	case "", "0", "false", "no", "off":
		return false, nil
	default:
		return false, badVariable(name, text, "is neither true nor false", "write 1 or 0")
	}
}

// storeKey reads the one of three variables that is set.
func storeKey(env environ, refs *resolver) (secret.Func, error) {
	const name = "AUTHCTL_STORE_KEY"
	value, file, command := env.raw(name), env.get(name+"_FILE"), env.get(name+"_CMD")
	var given []string
	var fetch secret.Func
	if value != "" {
		given = append(given, name)
		fetch = refs.given(name, value)
	}
	if file != "" {
		given = append(given, name+"_FILE")
		fetch = refs.bind("", name+"_FILE", reference{kind: "file", arg: file})
	}
	if command != "" {
		given = append(given, name+"_CMD")
		fetch = refs.bind("", name+"_CMD", reference{kind: "cmd", arg: command})
	}
	if len(given) > 1 {
		return nil, &Error{
			Key: strings.Join(given, " and "), Problem: "are set together", Suggestion: "keep one of them",
		}
	}
	return fetch, nil
}
