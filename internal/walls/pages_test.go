package walls

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
)

// page reads a page of the documentation.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testneed.Root(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFilesOfThePagesExist: a page for contributors names no file that has moved, with its path from the root or from
// internal.
func TestFilesOfThePagesExist(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile("`([a-z0-9_/]+/[a-z0-9_]+\\.go)`")
	for _, name := range []string{"CONTRIBUTING.md", "docs/design.md", "docs/adding-a-provider.md"} {
		for _, match := range named.FindAllStringSubmatch(page(t, name), -1) {
			_, fromRoot := os.Stat(filepath.Join(testneed.Root(t), filepath.FromSlash(match[1])))
			_, below := os.Stat(filepath.Join(testneed.Root(t), "internal", filepath.FromSlash(match[1])))
			if fromRoot != nil && below != nil {
				t.Errorf("%s names %s, which is not there", name, match[1])
			}
		}
	}
}

// TestDesignNamesEachPackage: what lives where is complete.
func TestDesignNamesEachPackage(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(page(t, "docs/design.md"), "## Packages")
	table, _, _ = strings.Cut(table, "Imports run one way")
	_, files := sources(t)
	for name := range files {
		if folder := path.Base(path.Dir(name)); !strings.Contains(table, folder+"/") {
			t.Errorf("docs/design.md does not say what is in %s", path.Dir(name))
		}
	}
}
