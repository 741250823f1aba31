package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
)

// environment makes an Env of "NAME=value" lines.
func environment(lines ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, line := range lines {
			if n, value, _ := strings.Cut(line, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

// holds fails the test unless the secret is want.
func holds(t *testing.T, fetch secret.Func, want string) {
	t.Helper()
	got, err := fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal(secret.New(want)) {
		t.Errorf("the secret is not %q", want)
	}
}

// fakeAsker is a Prompter and a Keyring with one answer.
type fakeAsker struct {
	answer string
	err    error
	labels []string
}

func (a *fakeAsker) Secret(_ context.Context, label string) (secret.Secret, error) {
	a.labels = append(a.labels, label)
	return secret.New(a.answer), a.err
}

// TestPastedSecrets is the table of what stands around secrets, wherever they come from.
func TestPastedSecrets(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ raw, want, odd, err string }{
		"plain":           {"fake", "fake", "", ""},
		"byte order mark": {"\uFEFFfake\r\n", "fake", "", ""},
		"line ends":       {"\r\nfake\r\n\r\n", "fake", "", ""},
		"a blank":         {"fake \n", "fake ", "ends with a blank", ""},
		"blanks":          {" fake\t\n", " fake\t", "begins and ends with a blank", ""},
		"no-break space":  {"fake\u00A0", "fake\u00A0", "holds a blank that is not the usual one (U+00A0)", ""},
		"zero width":      {"fa\u200Bke", "fa\u200Bke", "holds an invisible character (U+200B)", ""},
		"quotes":          {`"fake"`, `"fake"`, "is in quotes", ""},
		"lines":           {"fa\r\nke\r\n", "fa\r\nke", "has more than one line", ""},
		"a key":           {"\uFEFF-----BEGIN X-----\r\nfake\r\n", "-----BEGIN X-----\r\nfake", "", ""},
		"UTF-16":          {"\xFF\xFEf\x00", "", "", "it is in UTF-16"},
		"nothing":         {"\uFEFF\r\n", "", "", "it is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(tt.raw), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, ref := range []string{"file:secret", "stdin", "env:SECRET"} {
				if ref == "env:SECRET" && strings.Contains(tt.raw, "\x00") {
					continue
				}
				var said []string
				r := &Fetcher{Stdin: strings.NewReader(tt.raw), Trust: files.Trust{Warn: func(text string) { said = append(said, text) }}}
				got, err := fetch(t, r, ref, dir, "SECRET="+tt.raw)
				if tt.err != "" {
					if err == nil || !strings.HasSuffix(err.Error(), ": "+tt.err) {
						t.Errorf("%s: error %v", ref, err)
					}
					continue
				}
				if err != nil || !got.Equal(secret.New(tt.want)) {
					t.Errorf("%s: not %q, %v", ref, tt.want, err)
				}
				if (tt.odd == "") != (len(said) == 0) || tt.odd != "" && (len(said) != 1 || !strings.Contains(said[0], tt.odd)) ||
					strings.Contains(strings.Join(said, ""), "fake") {
					t.Errorf("%s: said %q, want %q", ref, said, tt.odd)
				}
			}
		})
	}
}
