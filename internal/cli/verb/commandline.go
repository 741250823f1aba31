package verb

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config"
)

// CommandFor is the command line that a message suggests for a profile, fit to be
// pasted into a POSIX shell: `authctl`, the words up to the first flag, the profile,
// the other words, and --config where it was given. Words are quoted where a shell
// would not take them as they are. The profile that the environment is made of is left
// out: no argument stands for it.
func (d *Deps) CommandFor(profile string, words ...string) string {
	flags := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, "-") })
	if flags < 0 {
		flags = len(words)
	}
	line := slices.Concat([]string{"authctl"}, words[:flags])
	if profile != "" && profile != config.EnvironmentProfile {
		line = append(line, profile)
	}
	line = append(line, words[flags:]...)
	if d.Global.Config != "" {
		line = append(line, "--config", d.Global.Config)
	}
	for i, word := range line {
		line[i] = shellWord(word)
	}
	return strings.Join(line, " ")
}

// ShellQuote quotes s for a POSIX shell (XCU §2.2.2): nothing is special between
// single quotes but the single quote.
func ShellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// shellWord quotes s where a shell would not take it as it is.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:,@%+=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return ShellQuote(s)
}
