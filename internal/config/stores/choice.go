// Package stores reads what a configuration and an environment say of where tokens are kept:
// the store that is chosen, and the references to what it is opened with.
package stores

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// Names are the stores that may be chosen by a name, the default first.
func Names() []string { return []string{"auto", "keyring", "kernel", "file", "memory"} }

// Choice is what was chosen, and where.
type Choice struct {
	Text string
	// Origin is where: "flag --store", "environment AUTHCTL_STORE", "/path/config.yaml:3",
	// or "default".
	Origin string
	// Line is that of the file, 0 when it is not what says so.
	Line int
}

// Entry is what a key at the margin of a configuration says, and where. One that is not there has
// no Text.
type Entry struct {
	Key, Text string
	Path      string
	Line      int
}

// Choice returns the store that the entry names, "auto" when it names none. Errors are
// *setting.Error.
func (e Entry) Choice() (Choice, error) {
	if e.Text == "" {
		return Choice{Text: Names()[0], Origin: "default"}, nil
	}
	return Choice{Text: e.Text, Line: e.Line, Origin: setting.Place(e.Path, e.Line)}, e.at(Check(e.Key, e.Text))
}

func (e Entry) at(err error) error { return setting.At(e.Path, e.Line, err) }

// Check returns an *setting.Error unless text names a store. key is what gives it: a
// flag, a variable or the key of the file.
func Check(key, text string) error {
	scheme, _, isURL := strings.Cut(text, "://")
	switch scheme = strings.ToLower(scheme); {
	case slices.Contains(Names(), text):
		return nil
	case isURL && (scheme == "redis" || scheme == "rediss"):
		return checkRedis(key, text)
	case isURL:
		return setting.Wrong(key, "is an address, and not one of a store", setting.DidYouMean("", Names()))
	}
	return setting.Wrong(key, fmt.Sprintf("%q is not a store", files.Short(text)), setting.DidYouMean(text, Names()))
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
	return setting.Wrong(key, "names a shared store, which this version does not have yet", setting.DidYouMean("", Names()))
}
