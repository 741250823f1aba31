package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// Link is a setting whose secret is the token of another profile.
type Link struct{ Setting, Profile string }

// Links are the settings of the profile whose secrets are tokens of others.
func (p *Profile) Links() []Link {
	var links []Link
	for _, n := range p.needs {
		if n.Kind == source.Profile && p.fetchOf(n) != nil {
			links = append(links, Link{n.of, n.Arg})
		}
	}
	return links
}

// JobTokens are the settings of the profile whose secrets are tokens of a pipeline's job, with the
// kinds of their references.
func (p *Profile) JobTokens() map[string]string {
	kinds := map[string]string{}
	for _, n := range p.needs {
		if n.IsToken() && n.Kind != source.Profile && p.fetchOf(n) != nil {
			kinds[n.of] = n.Kind
		}
	}
	return kinds
}

// Behind returns a profile that another one gets a token from, as the file says: what flags and
// variables say is meant for the one that was asked for. Errors are *setting.Error.
func (f *File) Behind(name string) (*Profile, error) {
	b, err := f.builder(name)
	if err != nil {
		return nil, err
	}
	b.behind = true
	return b.build()
}

// askBehind notes which of the profiles behind this one need a person or stdin.
func (b *builder) askBehind() {
	for i, n := range b.needs {
		if n.Kind == source.Profile && b.fetchOf(n) != nil {
			behind, err := b.file.Behind(n.Arg)
			b.needs[i].asks = err == nil && len(behind.Interactive()) > 0
		}
	}
}

// checkChain follows the profiles that this one gets tokens from. Each has to be there, and none
// may need this one's in turn. What else is wrong with one, it says itself when it is asked.
func (b *builder) checkChain() error {
	for _, link := range b.links() {
		if err := b.file.CheckLink(b.Name, link); err != nil {
			return err
		}
	}
	b.askBehind()
	return nil
}

// checkVariables follows the profiles that variables have this one get tokens from.
func (b *builder) checkVariables() error {
	for _, n := range b.needs {
		variable, ok := strings.CutPrefix(n.Origin, "environment ")
		if !ok || n.Kind != source.Profile {
			continue
		}
		err := b.file.CheckLink(b.Name, Link{variable, n.Arg})
		if wrong, ok := errors.AsType[*setting.Error](err); ok && wrong.Profile == "" {
			wrong.Profile = b.Name
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckLink looks whether a profile of that name, which need not be there yet, may get the token of
// another. Errors are *setting.Error.
func (f *File) CheckLink(name string, link Link) error {
	if link.Profile != name {
		switch other, err := f.having(profiles, link.Profile); {
		case err != nil:
			return err
		case other == nil:
			return noLink(f, link)
		}
	}
	circle, deep := circleOf(f, link.Profile, []string{name})
	if deep {
		return setting.Wrong(link.Setting, fmt.Sprintf("needs more than %d profiles, one behind the other", longestChain),
			"exchange the token of one further up")
	}
	if circle != nil {
		return setting.Wrong(link.Setting, "goes round in a circle: "+strings.Join(circle, " needs the token of "),
			"give one of them another reference")
	}
	return nil
}

// LinkOf returns what the text of a setting links to; false where it is no token of another profile.
func LinkOf(d setting.Setting, text string) (Link, bool) {
	ref, ok := source.Parse(text)
	return Link{d.Name, ref.Arg}, ok && d.Token && ref.Kind == source.Profile
}

// Linked returns the names of the profiles that get the token of one. What cannot be read is none.
func (f *File) Linked(name string) []string {
	names, _ := f.Names()
	return slices.DeleteFunc(names, func(other string) bool {
		b, err := f.builder(other)
		return err != nil || other == name ||
			!slices.ContainsFunc(b.links(), func(link Link) bool { return link.Profile == name })
	})
}

// links are those of the text of a profile and its base.
func (b *builder) links() []Link {
	var links []Link
	for _, d := range b.Service.Settings() {
		text, _ := b.raw(d.Name).(string)
		if link, ok := LinkOf(d, text); ok {
			links = append(links, link)
		}
	}
	return links
}

// longestChain is how many profiles may stand one behind the other: each may need two, and all of
// them are read.
const longestChain = 6

// circleOf returns the names of a chain of profiles that comes back to one of them, nil when the
// chain through name ends; or says that it is too long to be followed.
func circleOf(f *File, name string, chain []string) (circle []string, deep bool) {
	at := slices.Index(chain, name)
	chain = append(slices.Clip(chain), name)
	if at >= 0 {
		return chain[at:], false
	}
	if len(chain) > longestChain {
		return nil, true
	}
	b, err := f.builder(name)
	if err != nil {
		return nil, false
	}
	for _, link := range b.links() {
		if circle, deep := circleOf(f, link.Profile, chain); circle != nil || deep {
			return circle, deep
		}
	}
	return nil, false
}

// noLink is the error for a profile that there is not.
func noLink(f *File, link Link) error {
	names, err := f.Names()
	if err != nil {
		return err
	}
	if !MayBeShown(link.Profile) {
		return setting.Wrong(link.Setting, "names no profile", NameHint(link.Profile, names))
	}
	return setting.Wrong(link.Setting, "names profile "+files.Short(link.Profile)+", and there is no such profile",
		setting.DidYouMean(link.Profile, names))
}
