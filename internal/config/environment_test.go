package config

import (
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret/source"
)

func TestReadEnvironment(t *testing.T) {
	t.Parallel()
	e, err := ReadEnvironment(&source.Fetcher{Env: environment("AUTHCTL_STORE=file", "AUTHCTL_STORE_DIR=/s", "AUTHCTL_RUNTIME_DIR=/r",
		"AUTHCTL_MIN_TTL=0", "AUTHCTL_TIMEOUT=1m30s", "AUTHCTL_NO_INPUT=true", "AUTHCTL_STORE_KEY=fake-identity\n")})
	if err != nil {
		t.Fatal(err)
	}
	if e.Store != "file" || e.StoreDir != "/s" || e.RuntimeDir != "/r" || !e.NoInput || e.Timeout != 90*time.Second {
		t.Errorf("%+v", e)
	}
	if e.MinTTL == nil || *e.MinTTL != 0 {
		t.Error("a minimum of 0 is not seen")
	}
	holds(t, e.StoreKey.Fetch, "fake-identity")

	e, err = ReadEnvironment(&source.Fetcher{Env: environment("AUTHCTL_MIN_TTL=", "AUTHCTL_STORE_KEY=")})
	if err != nil || e.MinTTL != nil || e.StoreKey.Fetch != nil || e.StoreKey.From != "" || e.Timeout != 0 || e.NoInput {
		t.Errorf("empty variables: %+v, %v", e, err)
	}
}

func TestStoreKey(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "fake-identity\n")
	for _, env := range []string{"AUTHCTL_STORE_KEY_FILE=" + path, "AUTHCTL_STORE_KEY_CMD=echo fake-identity"} {
		e, err := ReadEnvironment(&source.Fetcher{Env: environment(env)})
		if err != nil {
			t.Fatal(err)
		}
		holds(t, e.StoreKey.Fetch, "fake-identity")
	}
	e, err := ReadEnvironment(&source.Fetcher{Env: environment("AUTHCTL_STORE_KEY_CMD=exit 4")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.StoreKey.Fetch(t.Context())
	if want := "AUTHCTL_STORE_KEY_CMD from cmd:exit …: the command ended with exit status 4"; err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
}

func TestBadEnvironment(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"AUTHCTL_STORE=keyrin":       `AUTHCTL_STORE "keyrin" is not a store`,
		"AUTHCTL_MIN_TTL=-1s":        `AUTHCTL_MIN_TTL "-1s" is negative: write 30s or 2m`,
		"AUTHCTL_TIMEOUT=soon":       `AUTHCTL_TIMEOUT "soon" is not a duration: write 30s or 2m`,
		"AUTHCTL_TIMEOUT=0":          `AUTHCTL_TIMEOUT "0" leaves no time`,
		"AUTHCTL_NO_INPUT=perhaps":   `AUTHCTL_NO_INPUT "perhaps" is neither true nor false`,
		"AUTHCTL_STORE_KEY_CMD=true": "AUTHCTL_STORE_KEY and AUTHCTL_STORE_KEY_CMD are set together",
	}
	for env, want := range tests {
		both := environment(env)
		if strings.HasPrefix(env, "AUTHCTL_STORE_KEY") {
			both = environment(env, "AUTHCTL_STORE_KEY=fake")
		}
		if _, err := ReadEnvironment(&source.Fetcher{Env: both}); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", env, err, want)
		}
	}
}
