package cli

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config"
)

// commandFor is the command line that a message suggests for a profile, fit to be
// pasted into a POSIX shell: `authctl`, the words up to the first flag, the profile,
// the other words, and --config where it was given. Words are quoted where a shell
// would not take them as they are. The profile that the environment is made of is left
// out: no argument stands for it.
func (a *app) commandFor(profile string, words ...string) string {
	flags := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, "-") })
	if flags < 0 {
		flags = len(words)
	}
	line := slices.Concat([]string{"authctl"}, words[:flags])
	if profile != "" && profile != config.EnvironmentProfile {
		line = append(line, profile)
	}
	line = append(line, words[flags:]...)
	if a.flags.config != "" {
		line = append(line, "--config", a.flags.config)
	}
	for i, word := range line {
		line[i] = shellWord(word)
	}
	return strings.Join(line, " ")
}
