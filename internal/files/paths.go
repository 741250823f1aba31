package files

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
)

// The errors of Place.
var (
	errNoHome   = errors.New("begins with ~, and there is no home directory")
	errUserHome = errors.New("begins with ~ and a name, which only a shell understands: write the directory out")
	errNUL      = errors.New("holds a NUL")
	errVariable = errors.New("holds a variable, which only a shell replaces: " +
		"write the directory out, or ~/ for the home directory")
	errQuoted  = errors.New("is in quotes: take them away; docker --env-file keeps them")
	errFileURL = errors.New("begins with file:, which is for references to secrets: write the path alone")
)

// Place reads a path that a person wrote, in a flag, a variable or the configuration.
// A byte order mark and white space around it are dropped, ~ and ~/ are the home
// directory, and what is relative begins at base; an empty base is the working directory.
// An empty text stays empty. The error completes "the path …".
func Place(text, home, base string) (string, error) {
	path := Tidy(text)
	switch {
	case path == "":
		return "", nil
	case strings.ContainsRune(path, 0):
		return "", errNUL
	case isQuoted(path):
		return "", errQuoted
	case strings.HasPrefix(path, "file:"):
		return "", errFileURL
	case holdsVariable(path):
		return "", errVariable
	case path == "~" || strings.HasPrefix(path, "~/") || runtime.GOOS == "windows" && strings.HasPrefix(path, `~\`):
		if !filepath.IsAbs(home) {
			return "", errNoHome
		}
		return filepath.Join(home, path[1:]), nil
	case path[0] == '~':
		return "", errUserHome
	case base != "" && !filepath.IsAbs(path):
		return filepath.Join(base, path), nil
	}
	return path, nil
}

// isQuoted reports whether a text has a pair of quotes around it.
func isQuoted(text string) bool {
	return len(text) > 1 && text[0] == text[len(text)-1] && strings.ContainsAny(text[:1], `"'`)
}

// holdsVariable reports whether a path has $NAME or %NAME% at its start, or ${NAME}
// anywhere: nobody has replaced it. A file that is called so is named with ./ before it.
func holdsVariable(path string) bool {
	if strings.Contains(path, "${") {
		return true
	}
	if rest, ok := strings.CutPrefix(path, "$"); ok {
		return rest != "" && (rest[0] == '_' || rest[0]|0x20 >= 'a' && rest[0]|0x20 <= 'z')
	}
	rest, ok := strings.CutPrefix(path, "%")
	name, _, closed := strings.Cut(rest, "%")
	return ok && closed && name != "" && !strings.ContainsAny(name, `/\`)
}

// below reports whether path is dir or in it, by their names and by where links lead.
func below(dir, path string) bool {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	return within(dir, absolute) || within(Followed(dir), Followed(absolute))
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// Followed resolves the links in the part of an absolute path that is there.
func Followed(path string) string {
	for rest := ""; ; {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Join(target, rest)
		}
		parent := filepath.Dir(path)
		if parent == path {
			return filepath.Join(path, rest)
		}
		rest, path = filepath.Join(filepath.Base(path), rest), parent
	}
}
