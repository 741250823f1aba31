package config

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// Environment is what variables say beside the settings of a profile. Empty
// variables count as unset.
type Environment struct {
	// Store is AUTHCTL_STORE, empty or as stores.Check takes it.
	Store string
	// StoreDir is AUTHCTL_STORE_DIR.
	StoreDir string
	// RuntimeDir is AUTHCTL_RUNTIME_DIR.
	RuntimeDir string
	// StoreKey is what AUTHCTL_STORE_KEY or its twins with _FILE and _CMD say of the key that
	// records are sealed with, and StorePassword what those of AUTHCTL_STORE_PASSWORD say.
	StoreKey, StorePassword stores.Secret
	// MinTTL is AUTHCTL_MIN_TTL, nil when unset, since 0 means something.
	MinTTL *time.Duration
	// Timeout is AUTHCTL_TIMEOUT, 0 when unset.
	Timeout time.Duration
	// NoInput is AUTHCTL_NO_INPUT: 1, true, yes or on; 0, false, no or off.
	NoInput bool
}

// ReadEnvironment reads the variables that are no settings; AUTHCTL_CONFIG,
// AUTHCTL_PROFILE and AUTHCTL_PROVIDER are read by Load and Profile. Durations
// are as setting.ParseDuration reads them. Errors are *setting.Error and name the variable.
func ReadEnvironment(f *source.Fetcher) (Environment, error) {
	env := environ{Environ: f.Env}
	e := Environment{
		Store:    env.Get("AUTHCTL_STORE"),
		StoreDir: env.path("AUTHCTL_STORE_DIR"), RuntimeDir: env.path("AUTHCTL_RUNTIME_DIR"),
	}
	if e.Store != "" {
		env.fail(stores.Check("AUTHCTL_STORE", e.Store))
	}
	e.NoInput, e.MinTTL = env.truth("AUTHCTL_NO_INPUT"), env.duration("AUTHCTL_MIN_TTL")
	if timeout := env.duration("AUTHCTL_TIMEOUT"); timeout != nil {
		if e.Timeout = *timeout; e.Timeout == 0 {
			env.refuse("AUTHCTL_TIMEOUT", "leaves no time", "write 30s or 2m")
		}
	}
	e.StoreKey, e.StorePassword = env.ofStore(f, stores.Key), env.ofStore(f, stores.Password)
	if env.err != nil {
		return Environment{}, env.err
	}
	return e, nil
}

// environ reads variables that mean something else than text, and keeps the first error.
type environ struct {
	files.Environ
	err error
}

func (e *environ) fail(err error) { e.err = cmp.Or(e.err, err) }

func (e *environ) refuse(name, problem, suggestion string) {
	e.fail(setting.Wrong(name, fmt.Sprintf("%q %s", files.Short(e.Get(name)), problem), suggestion))
}

func (e *environ) path(name string) string {
	path, err := Path(e.Environ, name, e.Get(name))
	if err != nil {
		e.fail(err)
	}
	return path
}

func (e *environ) duration(name string) *time.Duration {
	text := e.Get(name)
	if text == "" {
		return nil
	}
	d, err := setting.ParseDuration(text)
	if err != nil {
		e.refuse(name, err.Error(), "")
	}
	return &d
}

func (e *environ) truth(name string) bool {
	switch strings.ToLower(e.Get(name)) {
	case "1", "true", "yes", "on":
		return true
	case "", "0", "false", "no", "off":
		return false
	}
	e.refuse(name, "is neither true nor false", "write 1 or 0")
	return false
}

// ofStore reads the one of three variables that is set.
func (e *environ) ofStore(f *source.Fetcher, key string) stores.Secret {
	given, err := stores.Given(f, stores.Variable(key))
	e.fail(err)
	return given
}

// InCI reports whether this is a pipeline: CI is set, and to nothing that means no. Most
// systems write true, others 1 or their own name.
func InCI(env files.Environ) bool {
	e := environ{Environ: env}
	return e.truth("CI") || e.err != nil
}
