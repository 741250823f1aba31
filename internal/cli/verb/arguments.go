package verb

import (
	"slices"
	"strings"
)

// ValueIn returns the value of a flag as it stands in the arguments, where they may not
// have been parsed: that of its last place, empty for none.
func ValueIn(args []string, in func(arg string) (value string, given bool)) string {
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	last := ""
	for i, arg := range args {
		value, given := in(arg)
		if given && value == "" && i+1 < len(args) {
			value = args[i+1]
		}
		if given {
			last = value
		}
	}
	return last
}

// VariableIn returns the value of --var in an argument, empty when it is the next one.
func VariableIn(arg string) (value string, given bool) {
	value, given = strings.CutPrefix(arg, "--var")
	return strings.TrimPrefix(value, "="), given && (value == "" || value[0] == '=')
}

// OutputIn returns the value of --output in an argument, empty when it is the next
// one, in all the forms that pflag takes: -o, -ojson, -o=json, -qojson, --output=json.
func OutputIn(arg string) (value string, given bool) {
	if value, given = strings.CutPrefix(arg, "--output"); given {
		return strings.TrimPrefix(value, "="), value == "" || value[0] == '='
	}
	if !strings.HasPrefix(arg, "-") || strings.HasPrefix(arg, "--") {
		return "", false
	}
	// What stands before it are the flags that take no value.
	before, value, given := strings.Cut(arg[1:], "o")
	return strings.TrimPrefix(value, "="), given && strings.Trim(before, "hqv") == ""
}

// CheckVariable refuses the value of a flag that can name no variable.
func CheckVariable(flag, name string) error {
	if !VariableName(name) {
		return Usagef("%s %q is not the name of a variable", flag, name)
	}
	return nil
}

// VariableName reports whether s can name a variable in every shell.
func VariableName(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
