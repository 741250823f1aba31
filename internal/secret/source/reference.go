// Package source fetches secrets from where a person says they are: the references
// env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin and prompt; and, by whoever knows how,
// tokens of somebody else: profile:NAME, github:AUDIENCE, azure-pipelines:CONNECTION. It also
// tells, without running or asking anything, whether a secret is there.
package source

import (
	"slices"
	"strings"
	"unicode"

	"github.com/authctl/authctl/internal/files"
)

// The kinds of references that give a token of somebody else: that of another profile, and the
// identity token of the pipeline's job.
const (
	Profile        = "profile"
	GitHub         = "github"
	AzurePipelines = "azure-pipelines"
)

// TokenKinds are those kinds.
func TokenKinds() []string { return []string{Profile, GitHub, AzurePipelines} }

// Reference is where a secret is found.
type Reference struct {
	// Kind is env, file, cmd, keyring, stdin, prompt or one of TokenKinds.
	Kind string
	// Arg is what follows the colon, empty for stdin and prompt.
	Arg string
	// Dir is what a relative path starts from; empty is the working directory.
	Dir string
}

// Parse reads a reference as written; false when it is none.
func Parse(text string) (Reference, bool) {
	text = files.Tidy(text)
	if text == "stdin" || text == "prompt" {
		return Reference{Kind: text}, true
	}
	kind, arg, ok := strings.Cut(text, ":")
	if !slices.Contains(append(TokenKinds(), "env", "file", "cmd", "keyring"), kind) {
		return Reference{}, false
	}
	arg = files.Tidy(arg)
	return Reference{Kind: kind, Arg: arg}, ok && arg != "" && !strings.Contains(arg, "\x00")
}

// String returns the reference without what may be secret in it: of a command
// its first word, and not even that when it sets a variable.
func (r Reference) String() string {
	switch {
	case r.Arg == "":
		return r.Kind
	case r.Kind != "cmd":
		return r.Kind + ":" + files.Short(r.Arg)
	}
	first, rest, _ := strings.Cut(strings.Join(strings.Fields(r.Arg), " "), " ")
	switch {
	case strings.ContainsAny(first, `='"`+"`$"):
		return "cmd:…"
	case rest != "":
		return "cmd:" + files.Short(first) + " …"
	}
	return "cmd:" + files.Short(first)
}

// Asks reports whether only a person or standard input can give the secret.
func (r Reference) Asks() bool { return r.Kind == "prompt" || r.Kind == "stdin" }

// IsToken reports whether it gives a token of somebody else, and no other secret.
func (r Reference) IsToken() bool { return slices.Contains(TokenKinds(), r.Kind) }

// words are the words of a command line that may be names of variables: what a person
// wrote into a command is meant for it.
func (r Reference) words() []string {
	return strings.FieldsFunc(r.Arg, func(c rune) bool {
		return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
	})
}

// Need is a secret that something needs, and where it is said to be.
type Need struct {
	// Profile is whose it is, empty for the key of the store.
	Profile string
	// Setting is the setting or the variable that needs it.
	Setting string
	// Origin says where the reference was given.
	Origin string
	Reference
	// Token says that the setting wants a token, which another takes the place of before long.
	Token bool
	// Keep returns the variables with secrets that a command may see, beside those that
	// it names itself; nil means none.
	Keep func() []string
}

// label says of the secret what it is, for people.
func (n Need) label() string {
	if n.Profile == "" {
		return n.Setting
	}
	return n.Setting + " of profile " + n.Profile
}
