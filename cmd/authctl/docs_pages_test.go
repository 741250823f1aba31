//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/authctl/authctl/internal/testneed"
)

// page is a page of the documentation that people wrote.
type page struct {
	name   string // from the project's root
	blocks []block
	// prose is the text without code blocks and comments.
	prose string
}

// block is a fenced code block (CommonMark §4.5).
type block struct {
	where, language, text string
	// marks are the comments just before it: <!-- name: value -->. See the readers of mark.
	marks []mark
}

// mark tells the tests what a reader need not know: "not run" and why, "env" a variable, "fault" one of the sandbox's,
// "config" a configuration instead of the one of the documentation's profiles, "file" one of the project that is
// quoted, "engine" that there is one for a shared store, "rules" the rights that such a store needs.
type mark struct{ name, value string }

// mark returns the values of a name.
func (b block) mark(name string) []string {
	var values []string
	for _, m := range b.marks {
		if m.name == name {
			values = append(values, m.value)
		}
	}
	return values
}

// root is the project's directory, from where this package's tests run.
var root = filepath.Join("..", "..")

// pages reads the documentation that is not generated.
func pages(t *testing.T) []page {
	t.Helper()
	var list []page
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("no pages at %s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, readPage(name, string(text)))
		}
	}
	return list
}

// readPage takes a page apart.
func readPage(name, text string) page {
	p := page{name: name}
	var prose strings.Builder
	var marks []mark
	var open *block
	indent := ""
	for i, line := range strings.Split(text, "\n") {
		bare := strings.TrimSpace(line)
		switch {
		case open != nil && bare == "```":
			p.blocks = append(p.blocks, *open)
			open, marks = nil, nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		case strings.HasPrefix(bare, "```"):
			indent = line[:strings.Index(line, "`")]
			open = &block{fmt.Sprintf("%s:%d", name, i+1), strings.TrimPrefix(bare, "```"), "", marks}
		case strings.HasPrefix(bare, "<!--") && strings.HasSuffix(bare, "-->"):
			marks = append(marks, readMark(bare))
		default:
			if bare != "" {
				marks = nil
			}
			prose.WriteString(line + "\n")
		}
	}
	p.prose = prose.String()
	return p
}

func readMark(comment string) mark {
	inner := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(comment, "<!--"), "-->"))
	name, value, _ := strings.Cut(inner, ": ")
	return mark{name, value}
}

// anchors returns what a link to a heading of the page can say, as GitHub makes it.
func (p page) anchors() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(p.prose) {
		heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(heading))
		for n, unique := 1, slug; ; n++ {
			if !all[unique] {
				all[unique] = true
				break
			}
			unique = fmt.Sprintf("%s-%d", slug, n)
		}
	}
	return all
}

// links returns the targets of the page's links and pictures.
func (p page) links() []string {
	var list []string
	for _, pattern := range []string{`\]\(([^)\s]+)\)`, `(?:src|href)="([^"]+)"`} {
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(p.prose, -1) {
			list = append(list, found[1])
		}
	}
	return list
}

// spans returns the page's inline code.
func (p page) spans() []string {
	var list []string
	for _, found := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(p.prose, -1) {
		list = append(list, strings.Join(strings.Fields(found[1]), " "))
	}
	return list
}

// TestDocumentedLinks: a link within the project leads to a file that is there, and to a heading of it.
func TestDocumentedLinks(t *testing.T) {
	t.Parallel()
	all := pages(t)
	anchors := map[string]map[string]bool{}
	for _, p := range all {
		anchors[filepath.Clean(p.name)] = p.anchors()
	}
	for _, p := range all {
		for _, link := range p.links() {
			if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
				continue
			}
			path, anchor, _ := strings.Cut(link, "#")
			target := filepath.Join(filepath.Dir(p.name), path)
			if path == "" {
				target = filepath.Clean(p.name)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: the link %s leads nowhere: %v", p.name, link, err)
			} else if anchor != "" && !anchors[target][anchor] {
				t.Errorf("%s: the link %s leads to no heading of %s", p.name, link, target)
			}
		}
	}
}

// TestDocumentedCode: files and exported names of the project that the prose names are there.
func TestDocumentedCode(t *testing.T) {
	t.Parallel()
	file := regexp.MustCompile(`^(?:internal|cmd|scripts|test|tools|packaging|docs)(?:/[\w.-]+)+$`)
	name := regexp.MustCompile(`^\*?(providers|oauth|sandbox|store|config|broker)\.([A-Z]\w*)$`)
	for _, p := range pages(t) {
		for _, span := range p.spans() {
			if file.MatchString(span) && !strings.Contains(span, "NAME") {
				if _, err := os.Stat(filepath.Join(root, span)); err != nil {
					t.Errorf("%s: `%s` is not there: %v", p.name, span, err)
				}
			}
			if found := name.FindStringSubmatch(span); found != nil && !declares(t, found[1], found[2]) {
				t.Errorf("%s: `%s`: the package declares no such name", p.name, span)
			}
		}
	}
}

// declares reports whether a package declares a function, a type or a constant.
func declares(t *testing.T, pkg, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "internal", pkg, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^(?:(?:func|type|const|var) |\t)` + name + `\b`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if declared.Match(text) {
			return true
		}
	}
	return false
}

// TestPagesPutNoTokenIntoAnArgument looks for tokens that a page, a recipe or a command's help has in the arguments of a
// program, where every user of the machine can see them.
func TestPagesPutNoTokenIntoAnArgument(t *testing.T) {
	t.Parallel()
	inArgument := regexp.MustCompile(`(-H|--header|--oauth2-bearer|-u)[ =]*["']?[^"'\n]*["']?\$[({]?[^\n]*(authctl|TOKEN)|Bearer \$`)
	root, pages := testneed.Root(t), 0
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			pages++
			if found := inArgument.Find(text); found != nil {
				t.Errorf("%s: a token in an argument: %s", file, found)
			}
		}
	}
	if pages < 50 {
		t.Errorf("%d pages were looked at", pages)
	}
}
