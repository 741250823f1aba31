package walls

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
)

// revealers are the files that may turn a secret.Secret into text, and what for. A Secret that nobody reveals cannot
// be printed by accident, so this list stays short.
func revealers() map[string]string {
	return map[string]string{
		"internal/secret/secret.go":          "comparing in constant time, and the fingerprint",
		"internal/oauth/draft.go":            "the request",
		"internal/jose/jwt.go":               "taking a JWT apart, and handing it to the signature check",
		"internal/certificate/source.go":     "reading the certificate of a TLS connection, and its key",
		"internal/jose/key.go":               "looking whether a private key can sign",
		"internal/jose/halfhash.go":          "the hash by which an ID token names the access token beside it",
		"internal/oauth/authcode/rfc6749.go": "the request that the browser sends, and the words that repeat it",
		"internal/proxy/carrier.go":          "what the upstream is shown",
		"internal/store/record.go":           "the stored record",
		"internal/store/named.go":            "a secret of the user's own, put into the keyring under a name",
		"internal/store/file.go":             "the key that opens the sealed files",
		"internal/store/shared/engine.go":    "the passwords of an engine and of its sentinels",
		"internal/secret/source/fetch.go":    "taking off what an editor put around it, and looking for blanks",
		"internal/secret/source/keep.go":     "a new secret put into the file of the old one",
		"internal/cli/verb/formats/token.go": "the printed token",
		"internal/har/recorder.go":           "finding it where requests and replies repeat it",
	}
}

// sources parses the program's files, tests excepted, with slash-separated paths below the project.
func sources(t *testing.T) (*token.FileSet, map[string]*ast.File) {
	t.Helper()
	root := testneed.Root(t)
	set, files := token.NewFileSet(), map[string]*ast.File{}
	for _, top := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			files[filepath.ToSlash(name)], err = parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			return err
		})
		if err != nil {
			t.Fatalf("reading the source: %v", err)
		}
	}
	return set, files
}

func TestSecretsAreRevealedInFewPlaces(t *testing.T) {
	t.Parallel()
	set, files := sources(t)
	found := map[string]bool{}
	for name, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			// The selector and not the call, so that the method used as a value is found as well.
			selector, ok := n.(*ast.SelectorExpr)
			if !ok || selector.Sel.Name != "Reveal" {
				return true
			}
			found[name] = true
			if revealers()[name] == "" {
				t.Errorf("%s: a secret is revealed here; pass the secret.Secret on, or enter the file in revealers() "+
					"with the reason", set.Position(selector.Sel.Pos()))
			}
			return true
		})
	}
	for name, why := range revealers() {
		if !found[name] {
			t.Errorf("%s reveals no secret any more (%s): take it out of revealers()", name, why)
		}
	}
}

func TestNothingRunsBeforeMain(t *testing.T) {
	t.Parallel()
	set, files := sources(t)
	for _, file := range files {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: an init function costs every start, wanted or not", set.Position(d.Pos()))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					checkInitialValues(t, set, d)
				}
			}
		}
	}
}

// checkInitialValues finds a regular expression compiled for a package-level variable.
func checkInitialValues(t *testing.T, set *token.FileSet, d *ast.GenDecl) {
	t.Helper()
	ast.Inspect(d, func(n ast.Node) bool {
		if _, isFunc := n.(*ast.FuncLit); isFunc {
			return false
		}
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		if ok && pkg.Name == "regexp" && strings.Contains(selector.Sel.Name, "Compile") {
			t.Errorf("%s: a pattern compiled at package level costs every start", set.Position(selector.Pos()))
		}
		return true
	})
}
