package config

import (
	"runtime"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// prefix begins the names of all variables of ours.
const prefix = "AUTHCTL_"

// ownVariables are the variables beside those of settings, without the prefix: those that
// are read, and those that authctl sets for its children.
func ownVariables() []string {
	return []string{
		"PROFILE", "PROVIDER", "CONFIG", "STORE", "STORE_DIR", "STORE_KEY", "STORE_KEY_FILE", "STORE_KEY_CMD",
		"STORE_PASSWORD", "STORE_PASSWORD_FILE", "STORE_PASSWORD_CMD",
		"RUNTIME_DIR", "MIN_TTL", "TIMEOUT", "NO_INPUT",
		"TOKEN", "TOKEN_TYPE", "TOKEN_EXPIRES_ON", "TOKEN_FILE", "PROXY_URL", "SANDBOX_URL",
		strings.TrimPrefix(source.Taken, prefix),
		// Those of the library for command lines.
		"ACTIVE_HELP", "COMPLETION_DESCRIPTIONS",
	}
}

// forTests begins the names of variables that this project's own tests set.
const forTests = "TEST_"

// UnknownVariable is a variable whose name begins with AUTHCTL_ and that nothing reads.
type UnknownVariable struct {
	Name string
	// Nearest is what was probably meant, empty when nothing is near.
	Nearest string
}

// UnknownVariables returns those of an environment (NAME=value, as os.Environ has it),
// sorted by name. One that is set to nothing counts as unset.
func UnknownVariables(environment []string, services func() []providers.Spec) []UnknownVariable {
	var unknown []UnknownVariable
	var known []string
	own := ownVariables()
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		// In small letters it is another variable, but on Windows: and hardly a meant one.
		rest, ours := strings.CutPrefix(strings.ToUpper(name), prefix)
		if !ours || value == "" || strings.HasPrefix(rest, forTests) {
			continue
		}
		exact := runtime.GOOS == "windows" || strings.HasPrefix(name, prefix+rest)
		if exact && slices.Contains(own, rest) {
			continue
		}
		// Those of all settings only now: most calls know no other than the few above.
		if known == nil {
			known = knownVariables(services())
		}
		if !exact || !slices.Contains(known, rest) {
			unknown = append(unknown, UnknownVariable{Name: files.Short(name), Nearest: nearestVariable(rest, known)})
		}
	}
	slices.SortFunc(unknown, func(a, b UnknownVariable) int { return strings.Compare(a.Name, b.Name) })
	return unknown
}

// knownVariables are the names that mean something, without the prefix.
func knownVariables(services []providers.Spec) []string {
	names := ownVariables()
	for _, s := range services {
		for _, d := range s.Settings() {
			name, ok := strings.CutPrefix(d.Env(), prefix)
			if !ok {
				continue
			}
			names = append(names, name)
			if d.Kind == setting.Secret {
				names = append(names, name+"_FILE")
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nearestVariable returns the known name that was probably meant: a few letters off, else
// one that ends with what was written, or whose words are all there.
func nearestVariable(name string, known []string) string {
	name = strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	near := setting.Nearest(name, known)
	for _, k := range known {
		if near != "" {
			break
		}
		if strings.HasSuffix(k, "_"+name) || strings.HasSuffix(name, "_"+k) || squeezed(k) == squeezed(name) {
			near = k
		}
	}
	if near == "" {
		return ""
	}
	return prefix + near
}

func squeezed(name string) string { return strings.ReplaceAll(name, "_", "") }

// Mentions reports whether the text of the file has a name in it: a variable that it has is
// read by a reference or a command there. A nil file mentions nothing.
func (f *File) Mentions(name string) bool {
	return f != nil && slices.ContainsFunc(f.layers, func(l *layer) bool { return l.mentions(name) })
}
