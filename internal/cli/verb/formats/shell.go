package formats

import (
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/term"
)

// assignment is a variable and its value. An empty one means that there is none: an
// earlier token's must not stay behind.
type assignment struct{ name, value string }

// assignments are what the formats for shells set.
func (p Token) assignments(name string) []assignment {
	expiry := ""
	if p.ExpiresOn != nil {
		expiry = strconv.FormatInt(*p.ExpiresOn, 10)
	}
	return []assignment{{name, p.AccessToken}, {name + "_TYPE", p.TokenType}, {name + "_EXPIRES_ON", expiry}}
}

// script returns a line for each assignment.
func (p Token) script(name string, line func(assignment) string) string {
	var b strings.Builder
	for _, set := range p.assignments(name) {
		b.WriteString(line(set) + "\n")
	}
	return b.String()
}

// posix returns lines for eval in a POSIX shell.
func (p Token) posix(name string) string {
	return p.script(name, func(set assignment) string {
		if set.value == "" {
			return "unset " + set.name
		}
		return "export " + set.name + "=" + verb.ShellQuote(set.value)
	})
}

// fish returns lines for fish's source. Erasing what is not there would be a failure,
// and the last status is that of source.
func (p Token) fish(name string) string {
	return p.script(name, func(set assignment) string {
		if set.value == "" {
			return "set -ge " + set.name + "; or true"
		}
		return "set -gx " + set.name + " " + fishQuote(set.value)
	})
}

// powershell returns lines for PowerShell's Invoke-Expression.
func (p Token) powershell(name string) string {
	return p.script(name, func(set assignment) string {
		if set.value == "" {
			return "Remove-Item Env:" + set.name + " -ErrorAction SilentlyContinue"
		}
		return "$env:" + set.name + " = " + powershellQuote(set.value)
	})
}

// Evaluated are the formats whose output a shell evaluates.
func Evaluated() []string { return []string{"env", "fish", "powershell"} }

// Unset returns what a shell that evaluates the output is told when there is no
// token: it must not go on with an earlier one, nor take nothing for success. It goes by
// what stands in the arguments, since they may be what is wrong; other formats have nothing.
func Unset(args []string) string {
	names := []string{"AUTHCTL_TOKEN"}
	if given := verb.ValueIn(args, verb.VariableIn); verb.VariableName(given) {
		names[0] = given
	}
	names = append(names, names[0]+"_TYPE", names[0]+"_EXPIRES_ON")
	switch verb.ValueIn(args, verb.OutputIn) {
	case "env":
		return "unset " + strings.Join(names, " ") + "; false\n"
	case "fish":
		return "set -ge " + strings.Join(names, " ") + "; false\n"
	case "powershell":
		return "Remove-Item Env:" + strings.Join(names, ", Env:") +
			" -ErrorAction SilentlyContinue; throw 'authctl: there is no token'\n"
	}
	return ""
}

// dotenv returns NAME=value lines. Their readers agree on nothing but plain words:
// quotes are taken off by Node.js, Compose and a shell and belong to the value for
// docker run --env-file; # and $ mean something to the former and nothing to the
// latter. So a value is written bare, or not at all.
func (p Token) dotenv(name string) (string, error) {
	if !plainToken(p.AccessToken) {
		return "", notPlain("dotenv", "those who read such files take the others in different ways")
	}
	// A file is new each time: there is nothing to take away.
	return term.Lines(p.Variables(name)), nil
}

// plainToken reports whether s has only the characters of RFC 6750 §2.1, and no tilde
// in front, which a shell replaces by a directory.
func plainToken(s string) bool {
	foreign := func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("-._~+/=", r)
	}
	return s != "" && s[0] != '~' && s[0] != '=' && !strings.ContainsFunc(s, foreign)
}

// notPlain says why a format cannot carry a token, and shows none of it.
func notPlain(format, why string) error {
	return verb.Usagef("-o %s cannot carry this token: it has characters other than those of RFC 6750 §2.1, and %s; "+
		"choose another format, such as json or env", format, why)
}

// fishQuote quotes s for fish: between single quotes a backslash escapes itself and
// the single quote, see https://fishshell.com/docs/current/language.html#quotes.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

// powershellQuote quotes s, which is ASCII, for PowerShell: a verbatim string ends at a
// single quote that is not doubled, see about_Quoting_Rules.
func powershellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// Variables returns the token as entries of an environment, as -o env names them.
func (p Token) Variables(name string) []string {
	list := []string{}
	for _, set := range p.assignments(name) {
		if set.value != "" {
			list = append(list, set.name+"="+set.value)
		}
	}
	return list
}
