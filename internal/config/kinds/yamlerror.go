package kinds

import (
	"errors"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
	"go.yaml.in/yaml/v3"
)

// SyntaxError keeps the parser's own words, which tell the line and what was
// expected but quote no value.
func SyntaxError(text []byte, err error) error {
	line, problem := splitLine(strings.TrimPrefix(err.Error(), "yaml: "))
	lines := strings.Split(string(text), "\n")
	line = actualLine(lines, line, problem)
	e := &setting.Error{Line: line, Problem: "is not valid YAML: " + files.Short(problem), Err: err}
	// Of the first line the parser tells no number.
	at := max(line, 1)
	if at <= len(lines) && tabAhead(lines[at-1]) && strings.Contains(problem, "cannot start any token") {
		e.Line, e.Problem = at, "is not valid YAML: a tab stands where a line begins"
	}
	if strings.Contains(e.Problem, " tab ") {
		e.Help = "indent with spaces, which YAML wants there"
	}
	return e
}

// tabAhead reports whether a tab is among the blanks that a line begins with.
func tabAhead(line string) bool {
	return strings.Contains(line[:len(line)-len(strings.TrimLeft(line, " \t"))], "\t")
}

// actualLine corrects the line that the parser gives. It counts from 0 in errors
// of its upper half, unlike in those of its lower half, and for a tab it names
// the line before.
func actualLine(lines []string, line int, problem string) int {
	if line > 0 && strings.Contains(problem, "tab character") {
		for i := line - 1; i < len(lines); i++ {
			if tabAhead(lines[i]) {
				return i + 1
			}
		}
	}
	what, upper := strings.CutPrefix(problem, "did not find expected ")
	for _, start := range []string{"',' or", "key", "'-' indicator", "node content", "<"} {
		if upper && line > 0 && strings.HasPrefix(what, start) {
			return line + 1
		}
	}
	return line
}

// ValueError drops the decoder's words, because they can quote a value. What it finds in
// practice is a key given twice, which it names.
func ValueError(err error) error {
	e := setting.Wrong("", "has a value that does not fit its tag", "")
	typeErr, ok := errors.AsType[*yaml.TypeError](err)
	if !ok || len(typeErr.Errors) == 0 {
		return e
	}
	line, problem := splitLine(typeErr.Errors[0])
	e.Line = line
	if rest, twice := strings.CutPrefix(problem, "mapping key "); twice {
		key, _ := strconv.QuotedPrefix(rest)
		e.Name, _ = strconv.Unquote(key)
		e.Problem = "is given twice"
	}
	return e
}

func splitLine(text string) (int, string) {
	rest, _ := strings.CutPrefix(text, "line ")
	number, problem, _ := strings.Cut(rest, ": ")
	line, err := strconv.Atoi(number)
	if err != nil {
		return 0, text
	}
	return line, problem
}
