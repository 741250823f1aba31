package scopes

import (
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
)

// maxPasted is how many bytes of a pasted text are read.
const maxPasted = 64 << 10

// pasted is what somebody copied out of a terminal or a log, taken apart.
type pasted struct {
	status     int
	challenges []oauth.Challenge
	body       string
}

// readPasted tells status line, headers and body from each other. The marks that
// curl -v puts before a line do not matter.
func readPasted(text string) pasted {
	var p pasted
	var body strings.Builder
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(strings.TrimLeft(lines[i], "<>* \t"))
		if strings.HasPrefix(strings.TrimSpace(lines[i]), "<") && strings.Contains(line, ">") {
			line = lines[i] // HTML, not curl's mark
		}
		if status := statusOf(line); status != 0 {
			p.status = status
			continue
		}
		if value, ok := challengeValue(line); ok {
			for i+1 < len(lines) && continues(value, lines[i+1]) {
				i++
				value += " " + strings.TrimSpace(lines[i])
			}
			p.challenges = append(p.challenges, oauth.ParseChallenges(value)...)
			continue
		}
		if !isHeader(line) {
			body.WriteString(lines[i] + "\n")
		}
	}
	p.body = strings.TrimSpace(body.String())
	if start, end := strings.IndexByte(p.body, '{'), strings.LastIndexByte(p.body, '}'); start >= 0 && end > start {
		p.body = p.body[start : end+1]
	}
	return p
}

// challenge is the one that carries an error, else one with a scope, else the first.
func (p pasted) challenge() oauth.Challenge {
	for _, wanted := range []func(oauth.Challenge) bool{
		func(c oauth.Challenge) bool { return c.Error != "" },
		func(c oauth.Challenge) bool { return c.Scope != "" },
		func(oauth.Challenge) bool { return true },
	} {
		if i := slices.IndexFunc(p.challenges, wanted); i >= 0 {
			return p.challenges[i]
		}
	}
	return oauth.Challenge{}
}

// statusOf reads "HTTP/1.1 403 Forbidden", "403 Forbidden", "403" and "status: 403".
func statusOf(line string) int {
	words := strings.Fields(line)
	if len(words) > 1 {
		switch first := strings.ToLower(strings.TrimSuffix(words[0], ":")); {
		case strings.HasPrefix(first, "http/"), first == "status", first == "http":
			words = words[1:]
		}
	}
	if len(words) == 0 || len(words) > 5 || len(words[0]) != 3 {
		return 0
	}
	status, err := strconv.Atoi(words[0])
	if err != nil || status < 100 || status > 599 {
		return 0
	}
	return status
}

// challengeValue takes the value out of a WWW-Authenticate line, or a line that
// begins as such a value does.
func challengeValue(line string) (string, bool) {
	name, value, ok := strings.Cut(line, ":")
	if ok && strings.EqualFold(strings.Trim(strings.TrimSpace(name), `"'`), "www-authenticate") {
		return strings.TrimSpace(value), true
	}
	scheme, rest, _ := strings.Cut(line, " ")
	switch strings.ToLower(scheme) {
	case "bearer", "basic", "dpop", "digest", "negotiate":
		return line, rest == "" || strings.Contains(rest, "=")
	}
	return "", false
}

// continues reports whether a line goes on with a header's value: it is indented, or
// a quoted string is still open. No header that is read is longer than 8 KiB.
func continues(value, line string) bool {
	return line != "" && len(value) < 8<<10 && (line[0] == ' ' || line[0] == '\t' || strings.Count(value, `"`)%2 == 1)
}

// isHeader reports whether a line is another header: one word, a colon, a blank.
func isHeader(line string) bool {
	name, value, ok := strings.Cut(line, ":")
	return ok && strings.Contains(name, "-") && strings.HasPrefix(value, " ") &&
		!strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"{}<>,`, r) })
}

// plainText is a text without HTML's tags, cleaned; of a page with a title that.
func plainText(text string) string {
	lower := strings.ToLower(text)
	if i := strings.Index(lower, "<title>"); i >= 0 && len(lower) == len(text) {
		text, _, _ = strings.Cut(text[i+len("<title>"):], "<")
		return oauth.CleanText(text)
	}
	var b strings.Builder
	for text != "" {
		before, tag, found := strings.Cut(text, "<")
		b.WriteString(before + " ")
		if !found {
			break
		}
		_, text, _ = strings.Cut(tag, ">")
	}
	return oauth.CleanText(strings.TrimSpace(b.String()))
}

// scopeWords are the words of a text that the services' catalogues have.
func scopeWords(text string, services []providers.Service) []string {
	words := wordsOf(text)
	var found []string
	for _, service := range services {
		for _, name := range knownNames(service) {
			// "profile", "email" and their like are plain words as well.
			if (name == "openid" || strings.ContainsAny(name, ":/")) && words[name] {
				found = append(found, name)
			}
		}
	}
	return found
}

// likelyScopes are the words of a text that look like a scope: parts with colons
// between them, none of them a number, and no address.
func likelyScopes(text string) []string {
	var found []string
	for word := range wordsOf(text) {
		parts := strings.Split(word, ":")
		odd := func(part string) bool { return strings.Trim(part, "0123456789") == "" || strings.HasPrefix(part, "/") }
		if len(parts) > 1 && !slices.ContainsFunc(parts, odd) {
			found = append(found, word)
		}
	}
	return found
}

// wordsOf splits a text at everything that no scope of a catalogue has.
func wordsOf(text string) map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(":./-_*", r)
	}) {
		words[strings.Trim(word, ":.")] = true
	}
	return words
}
