package process

import (
	"os"
	"runtime"
	"slices"
	"strings"
)

// Without returns this process's environment without some variables.
func Without(names []string) []string {
	drop := Named(names)
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return drop(name)
	})
}

// Named returns what reports whether a name is one of names.
func Named(names []string) func(name string) bool {
	return func(name string) bool {
		return slices.ContainsFunc(names, func(s string) bool {
			return s == name || runtime.GOOS == "windows" && strings.EqualFold(s, name)
		})
	}
}
