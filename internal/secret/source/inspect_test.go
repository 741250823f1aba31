package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/authctl/authctl/internal/secret"
)

// lookedUp is a keyring that knows one name.
type lookedUp struct{}

func (lookedUp) Secret(_ context.Context, name string) (secret.Secret, error) {
	if name == "kept" {
		return secret.New("obviously-fake"), nil
	}
	return secret.Secret{}, errors.New("no such entry")
}

func TestInspect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"full.txt": "obviously-fake\n", "empty.txt": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refs := &Fetcher{Keyring: lookedUp{}, Env: environment("SET=obviously-fake", "HOME="+dir)}
	ran := filepath.Join(dir, "ran")
	for text, want := range map[string]string{
		"env:SET":                   "",
		"env:NOT_SET":               "profile p: s from env:NOT_SET: the variable is not set",
		"file:full.txt":             "",
		"file:~/full.txt":           "",
		"file:empty.txt":            "profile p: s from file:empty.txt: it is empty",
		"file:gone.txt":             "profile p: s from file:gone.txt: ",
		"file:.":                    "profile p: s from file:.: it is a directory",
		"keyring:kept":              "",
		"keyring:gone":              "profile p: s from keyring:gone: no such entry",
		"cmd:no-such-program x":     "profile p: s from cmd:no-such-program …: the program cannot be found: ",
		"cmd:go env >" + ran:        "",
		"cmd:exec touch " + ran:     "",
		"cmd:(touch " + ran + ")":   "",
		"cmd:A=b no-such-program":   "",
		"cmd:./no-such-program a b": "profile p: s from cmd:./no-such-program …: the program cannot be found: ",
		"prompt":                    "",
		"stdin":                     "",
	} {
		ref, ok := Parse(text)
		if !ok {
			t.Fatalf("%q is no reference", text)
		}
		ref.Dir = dir
		found := refs.Inspect(t.Context(), Need{Profile: "p", Setting: "s", Reference: ref, Origin: "here"})
		said := ""
		if found.Err != nil {
			said = found.Err.Error()
		}
		if want == "" != (said == "") || len(said) < len(want) || said[:len(want)] != want {
			t.Errorf("%s: %q, want %q", text, said, want)
		}
		if found.Reference != ref || found.Setting != "s" {
			t.Errorf("%s: %+v", text, found)
		}
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a command was run")
	}
}
