// Package stores reads what a configuration and an environment say of where tokens are kept:
// the store that is chosen, and the references to what it is opened with.
package stores

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store/address"
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

// Shown is the store for people: of an address what tells one engine from another, and no user.
func (c Choice) Shown() string {
	if a, err := address.Parse(c.Text); err == nil {
		return a.String()
	}
	return c.Text
}

// Check returns an *setting.Error unless text names a store. key is what gives it: a
// flag, a variable or the key of the file. Of what may hold a password nothing is repeated.
func Check(key, text string) error {
	forms := append(Names(), "redis://HOST:6379/0")
	switch {
	case slices.Contains(Names(), text):
		return nil
	case address.Is(text):
		_, err := address.Parse(text)
		if e, ok := errors.AsType[*address.Error](err); ok {
			return setting.Wrong(key, e.Problem, e.Help)
		}
		return err
	case strings.Contains(text, "://"):
		return setting.Wrong(key, "is an address, and not one of a store", setting.DidYouMean("", forms))
	case strings.ContainsAny(text, "@:"):
		return setting.Wrong(key, "is not a store", setting.DidYouMean("", forms))
	}
	return setting.Wrong(key, fmt.Sprintf("%q is not a store", files.Short(text)), setting.DidYouMean(text, forms))
}
