package setting

import (
	"fmt"
	"strings"
)

// Error says that a setting's value cannot be used. Exit code 3.
type Error struct {
	Profile, Name string
	// Problem completes "profile P: NAME …": "is missing", `"a/b" is not a host label`.
	Problem string
	// Help says what is wanted; may be empty.
	Help string
	// Origin says where the value was given; may be empty.
	Origin string
}

// Error names profile, setting, problem and origin.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Profile != "" {
		fmt.Fprintf(&b, "profile %s: ", e.Profile)
	}
	fmt.Fprintf(&b, "%s %s", e.Name, e.Problem)
	if e.Origin != "" {
		fmt.Fprintf(&b, " (from %s)", e.Origin)
	}
	return b.String()
}
