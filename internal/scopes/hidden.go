package scopes

import (
	"regexp"
	"slices"
	"strings"
)

// hidden stands for what is not shown. No scope has its brackets, so that nothing takes
// it for one.
const hidden = "[hidden]"

// hide returns a cleaned text without what may be a secret: a person pastes the request
// as well as the answer, and a log prints both. What it hides is guessed by shape and by
// name, and rather too much than too little.
func hide(text string) string {
	// They are compiled here because no other command needs them.
	header := regexp.MustCompile(`(?i)\b(authorization|cookie)(["']?\s*[:=]).*`)
	scheme := regexp.MustCompile(`(?i)\b(?:bearer|basic)\s+\S+`)
	jwt := regexp.MustCompile(`eyJ[\w.+/=-]{8,}`)
	user := regexp.MustCompile(`://[^/\s@]+@`)
	pair := regexp.MustCompile(`(?i)([\w-]*` +
		`(?:secret|password|passwd|token|assertion|code|cookie|api[_-]?key|verifier)s?)` +
		`(\\?["']?\s*[=:]\s*\[?)(\\?"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s&;,"'}\])]+)`)
	text = header.ReplaceAllString(text, "$1$2 "+hidden)
	text = scheme.ReplaceAllStringFunc(text, hideScheme)
	text = jwt.ReplaceAllString(text, hidden)
	text = user.ReplaceAllString(text, "://"+hidden+"@")
	return pair.ReplaceAllStringFunc(text, func(match string) string {
		parts := pair.FindStringSubmatch(match)
		if harmless(parts[1], parts[2], parts[3]) {
			return match
		}
		return parts[1] + parts[2] + hidden
	})
}

// hideScheme hides what follows Bearer or Basic, unless the words are a sentence's.
func hideScheme(match string) string {
	words := strings.Fields(match)
	plain := []string{"token", "tokens", "authentication", "authorization", "scheme", "is", "was"}
	if slices.Contains(plain, strings.ToLower(strings.Trim(words[1], `.,:;"'`))) {
		return match
	}
	return words[0] + " " + hidden
}

// harmless tells a scope such as tokens:read and a status code from a secret.
func harmless(name, between, value string) bool {
	if strings.HasSuffix(strings.ToLower(name), "code") && len(value) <= 3 && strings.Trim(value, "0123456789") == "" {
		return true
	}
	access := []string{"read", "write", "readonly", "readwrite", "manage", "start", "delete", "admin", "all", "*"}
	return between == ":" && slices.Contains(access, strings.ToLower(value))
}
