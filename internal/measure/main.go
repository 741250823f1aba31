// Command measure prints what the program weighs: lines a package, how long functions are, which type has the
// most methods, which imports run back up, what is linked. It is run by `make measure` and is not part of the program.
//
// Only packages that the program links are counted, without tests; a line is a line of the file, blank ones and
// comments too.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	module  = "github.com/authctl/authctl"
	program = "./cmd/authctl"
)

// The limits of docs/design.md, in lines.
const (
	mostOfRoot    = 1200
	mostOfVerb    = 2200
	mostOfPackage = 3000
	mostMethods   = 30
)

// figures are what was measured.
type figures struct {
	packages  map[string]int
	functions []function
	methods   map[string]int
	imports   map[string][]string
	lines     int
}

// function is one function and how long it is, in lines with its braces.
type function struct {
	name  string
	lines int
}

func main() {
	m, err := measure()
	if err == nil {
		err = m.report()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "measure: %v\n", err)
		os.Exit(1)
	}
}

// measure parses every file that is linked.
func measure() (*figures, error) {
	m := &figures{packages: map[string]int{}, methods: map[string]int{}, imports: map[string][]string{}}
	files, err := list("-deps", "-f", `{{if not .Standard}}{{$p := .}}{{range .GoFiles}}{{$p.ImportPath}} {{$p.Dir}}/{{.}}
{{end}}{{end}}`, program)
	if err != nil {
		return nil, err
	}
	for _, line := range files {
		pkg, path, ok := strings.Cut(line, " ")
		pkg, ours := strings.CutPrefix(pkg, module+"/")
		if !ok || !ours {
			continue
		}
		if err := m.add(pkg, path); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// add counts one file.
func (m *figures) add(pkg, path string) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	lines := set.Position(file.FileEnd).Line - 1
	m.packages[pkg] += lines
	m.lines += lines
	for _, i := range file.Imports {
		if to, ours := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), module+"/"); ours {
			m.imports[pkg] = append(m.imports[pkg], to)
		}
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		long := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1
		m.functions = append(m.functions, function{pkg + "." + f.Name.Name, long})
		if f.Recv != nil {
			m.methods[pkg+"."+receiver(f.Recv.List[0].Type)]++
		}
	}
	return nil
}

// receiver is the name of a method's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return "?"
}

func (m *figures) report() error {
	packages := heaviest(m.packages)
	for _, pkg := range packages {
		fmt.Printf("%6d  %s%s\n", m.packages[pkg], pkg, over(m.packages[pkg], limit(pkg)))
	}
	fmt.Printf("%6d  lines of the program without tests, in %d packages\n", m.lines, len(packages))
	m.reportFunctions()
	widest := heaviest(m.methods)[:3]
	for _, name := range widest {
		fmt.Printf("%6d  methods of %s%s\n", m.methods[name], name, over(m.methods[name], mostMethods))
	}
	back := m.back()
	fmt.Printf("%6d  imports that run back up inside internal/cli\n", len(back))
	for _, arrow := range back {
		fmt.Println("        " + arrow)
	}
	return reportLinked()
}

func (m *figures) reportFunctions() {
	slices.SortFunc(m.functions, func(a, b function) int { return a.lines - b.lines })
	total := 0
	for _, f := range m.functions {
		total += f.lines
	}
	n := len(m.functions)
	longest := m.functions[n-1]
	fmt.Printf("%6d  functions: %.1f lines on average, %d at the ninetieth percentile, %d the longest (%s)\n",
		n, float64(total)/float64(n), m.functions[n*9/10].lines, longest.lines, longest.name)
}

// back are the imports from a package below internal/cli to one beside or above it.
func (m *figures) back() []string {
	var arrows []string
	for pkg, imports := range m.imports {
		for _, to := range imports {
			if noun(pkg) != "" && strings.HasPrefix(to+"/", "internal/cli/") && !strings.HasPrefix(to+"/", shared) {
				arrows = append(arrows, pkg+" → "+to)
			}
		}
	}
	slices.Sort(arrows)
	return slices.Compact(arrows)
}

// shared is where what every noun may use is.
const shared = "internal/cli/verb/"

// noun is the package of a noun below internal/cli, empty for another.
func noun(pkg string) string {
	name, _ := strings.CutPrefix(pkg, "internal/cli/")
	if name == pkg || strings.HasPrefix(pkg+"/", shared) {
		return ""
	}
	return name
}

// limit is how many lines a package may have.
func limit(pkg string) int {
	switch {
	case pkg == "internal/cli":
		return mostOfRoot
	case strings.HasPrefix(pkg, "internal/cli/"):
		return mostOfVerb
	}
	return mostOfPackage
}

func over(n, most int) string {
	if n <= most {
		return ""
	}
	return fmt.Sprintf("  OVER its %d", most)
}

// heaviest returns the names, the one with the most first.
func heaviest(counts map[string]int) []string {
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	return names
}

// reportLinked tells what is in the program as it is released.
func reportLinked() error {
	modules, err := list("-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", program)
	if err != nil {
		return err
	}
	slices.Sort(modules)
	dir, err := os.MkdirTemp("", "measure")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "authctl")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, program) //nolint:noctx // it ends
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the program: %w: %s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	fmt.Printf("%6d  modules linked beside our own\n", len(slices.Compact(modules))-1)
	fmt.Printf("%6d  KiB of program\n", info.Size()>>10)
	return nil
}

// list runs go list and returns its lines.
func list(args ...string) ([]string, error) {
	cmd := exec.Command("go", append([]string{"list"}, args...)...) //nolint:noctx // it ends
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }), nil
}
