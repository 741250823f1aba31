package source

import (
	"errors"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// ErrNotReference is wrapped by the error of a secret that is given as something else than a
// reference: it may be the secret itself, in plain text.
var ErrNotReference = errors.New("not a reference to a secret")

// NotReference is the error of a key whose value is no reference: token says that it may be one to
// a token of somebody else.
func NotReference(key string, token bool) error {
	help := "use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"
	if token {
		help = "use env:NAME, file:PATH, cmd:COMMAND, profile:NAME, github:AUDIENCE, azure-pipelines:CONNECTION, " +
			"keyring:NAME, stdin or prompt"
	}
	return &setting.Error{Name: key, Problem: "is not a reference to a secret", Err: ErrNotReference, Help: help}
}

// Variables returns which of the variables of a secret are set, the one that holds it
// and its twins that give a reference of a kind (_FILE, _CMD), and the reference of the last.
func Variables(env files.Environ, name string, kinds ...string) (set []string, ref Reference) {
	if env.Raw(name) != "" {
		set = append(set, name)
	}
	for _, kind := range kinds {
		twin := name + "_" + strings.ToUpper(kind)
		if arg := env.Get(twin); arg != "" {
			set, ref = append(set, twin), Reference{Kind: kind, Arg: arg}
		}
	}
	return set, ref
}
