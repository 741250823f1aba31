package client

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/address"
)

// Chosen returns the store that a command uses, and who says so: a flag, else the
// environment, else the configuration. An empty name is a flag that was not given.
func (l *Local) Chosen(name string) (stores.Choice, error) {
	if name != "" {
		return stores.Choice{Text: name, Origin: "flag --store"}, nil
	}
	if l.Env.Store != "" {
		return stores.Choice{Text: l.Env.Store, Origin: "environment AUTHCTL_STORE"}, nil
	}
	file, err := l.ifThere()
	if err != nil {
		return stores.Choice{}, err
	}
	return file.Store()
}

// StoreSecret returns where a secret of the store is, whose key is one of package stores: what the
// environment, else the configuration says.
func (l *Local) StoreSecret(key string) (stores.Secret, error) {
	given := map[string]stores.Secret{stores.Key: l.Env.StoreKey, stores.Password: l.Env.StorePassword}[key]
	if given.From != "" {
		return given, nil
	}
	file, err := l.ifThere()
	if err != nil {
		return stores.Secret{}, err
	}
	return file.StoreSecret(key)
}

// ifThere returns the configuration, nil when it is not there: a store can do without. One that
// was named must be there, for it may name the store.
func (l *Local) ifThere() (*config.File, error) {
	file, err := l.File()
	if _, named := l.Located(); !named && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return file, err
}

// Store returns the store that the options, else the environment or the configuration name. A
// store that was named is never replaced by another; auto means the keyring where it works, else
// the kernel's, else memory.
func (l *Local) Store(o Options) (store.Store, error) {
	chosen, err := l.Chosen(o.Store)
	if err != nil {
		return nil, err
	}
	if address.Is(chosen.Text) {
		return engine{l, o}.open(chosen.Text)
	}
	switch chosen.Text {
	case "auto":
		return l.auto(), nil
	case "keyring":
		return l.Keyring, nil
	case "kernel":
		return l.Kernel(), nil
	case "memory":
		return &store.Memory{}, nil
	case "file":
		return l.fileStore()
	}
	return nil, fmt.Errorf("there is no store %q", files.Short(chosen.Text))
}

// keepDocuments has what an issuer says of itself kept beside the tokens, where anything is kept
// at all.
func (c *Client) keepDocuments(p *providers.Provider) {
	chosen, err := c.Local.Chosen(c.Options.Store)
	state := c.Local.LookupEnv.StateDir()
	if err != nil || state == "" || c.Options.NoCache || chosen.Text == "memory" {
		return
	}
	var since time.Time
	if c.Options.ForceRefresh {
		since = c.Local.Now()
	}
	p.KeepDocuments(&store.Documents{
		FileLocks: c.Local.Locks(), Dir: filepath.Join(state, "issuers"),
		Apart: c.Local.authorities.trusted(c.Local.LookupEnv, c.Options.CAFile), Warn: c.Local.WarnOnce,
	}, since, c.Options.Explain)
}

func (l *Local) fileStore() (store.Store, error) {
	dir := l.Env.StoreDir
	if state := l.LookupEnv.StateDir(); dir == "" && state != "" {
		dir = filepath.Join(state, "tokens")
	}
	if dir == "" {
		return nil, &setting.Error{
			Name: "AUTHCTL_STORE_DIR", Problem: "is not set, and there is no home directory",
			Help: "set it to a directory of yours",
		}
	}
	key, err := l.StoreSecret(stores.Key)
	if err != nil {
		return nil, err
	}
	return &store.File{
		FileLocks: l.Locks(), Dir: dir, Key: key.Fetch, KeyFrom: key.From, Unopened: l.tellOfUnopened,
	}, nil
}

// KeyGiver names what gives the key that records are sealed with, or could, for hints.
func (l *Local) KeyGiver() string {
	if key, err := l.StoreSecret(stores.Key); err == nil && l.Env.StoreKey.From == "" && key.From != "" {
		return key.From
	}
	return "AUTHCTL_STORE_KEY_FILE or its twins"
}

// QuietStore returns the store that nothing but a flag could change, without a word where auto keeps
// nothing: for what only looks at tokens that may be there.
func (l *Local) QuietStore() (store.Store, error) {
	chosen, err := l.Store(Options{})
	if auto, ok := chosen.(*store.Auto); ok {
		auto.Passed = nil
	}
	return chosen, err
}

// Locks are the file locks of every store.
func (l *Local) Locks() store.FileLocks {
	locks := store.FileLocks{Dir: l.Env.RuntimeDir, Trust: l.Trust()}
	if state := l.LookupEnv.StateDir(); state != "" {
		locks.Fallback = filepath.Join(state, "run")
	}
	return locks
}

// tellOfUnopened warns of tokens that are there and in no listing.
func (l *Local) tellOfUnopened(number int, why string) {
	l.Unopened = number
	if number -= l.Known; number == 0 {
		return
	}
	text := "a token that is stored here cannot be opened: " + why
	if number > 1 {
		text = fmt.Sprintf("%d tokens that are stored here cannot be opened: %s", number, why)
	}
	have := " have"
	giver := l.KeyGiver()
	if strings.HasPrefix(giver, "store_key") {
		have = " has"
	}
	l.WarnOnce(text + "; " + giver + have + " to give the key that it was stored with")
}
