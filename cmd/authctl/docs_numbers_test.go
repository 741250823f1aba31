//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentedFiles: what a page quotes from a file of the project, marked "file", is what the file says. So numbers
// that a test measures are those that the documentation tells.
func TestDocumentedFiles(t *testing.T) {
	t.Parallel()
	quoted := 0
	for _, page := range pages(t) {
		for _, b := range page.blocks {
			for _, name := range b.mark("file") {
				quoted++
				text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(text), b.text); diff != "" {
					t.Errorf("%s quotes %s (-file +page):\n%s", b.where, name, diff)
				}
			}
		}
	}
	if quoted == 0 {
		t.Error("no page quotes a file")
	}
}
