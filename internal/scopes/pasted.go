package scopes

import (
	"cmp"
	"encoding/json"
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

// part is what a line of a pasted text belongs to.
type part int

const (
	// loose is what no status line went before.
	loose part = iota
	// headers are those of an answer, up to an empty line; a few are those under a
	// status that is no status line, under which the body may begin at once.
	headers
	few
	// content is the answer's body.
	content
	// request is what was sent. It holds secrets and says nothing of the answer.
	request
)

// readPasted takes the last answer out of a text: of its headers the challenges, and its
// body. What was sent is dropped, as are the lines that curl -v and a shell add.
func readPasted(text string) pasted {
	var p pasted
	var body strings.Builder
	in := loose
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
	if code, rest, ok := statusBefore(lines[0]); ok {
		lines = append([]string{code, "", rest}, lines[1:]...)
	}
	for i := 0; i < len(lines); i++ {
		line, ok := unmarked(lines[i])
		if !ok {
			continue
		}
		status, exact := statusOf(line)
		switch {
		case exact:
			p, in = pasted{status: status}, headers
			body.Reset()
			continue
		case isRequest(line):
			in = request
		case status != 0 && p.status == 0 && in != request:
			p.status, in = status, few
			continue
		}
		if in == request {
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
		if in = in.after(line); in == content || in == loose && !isHeader(line) {
			body.WriteString(lines[i] + "\n")
		}
	}
	p.body = errorObject(strings.TrimSpace(body.String()))
	return p
}

// after is where a text is once a line is read: an empty one ends the headers, and so
// does one that is surely of a body.
func (in part) after(line string) part {
	begins := line != "" && strings.ContainsRune("{[<", rune(line[0]))
	switch {
	case in == headers && (line == "" || begins), in == few && !headerLine(line):
		return content
	}
	return in
}

// unmarked returns a line without the mark that curl -v puts before a header of the
// answer. It is false for what else curl or a shell says: the request (>), what curl does
// (*), how much came, and the command itself.
func unmarked(line string) (string, bool) {
	line = strings.TrimSpace(line)
	mark, rest, _ := strings.Cut(line, " ")
	switch {
	case mark == "<":
		return strings.TrimSpace(rest), true
	case mark == ">", mark == "*", mark == "$", mark == "curl", mark == "http", mark == "https", mark == "=>":
		return "", false
	case (mark == "{" || mark == "}") && strings.HasPrefix(rest, "[") && strings.HasSuffix(rest, "bytes data]"):
		return "", false
	case strings.HasPrefix(line, "% Total "), strings.HasPrefix(line, "Dload "):
		return "", false
	}
	return line, strings.Count(line, ":--") < 2
}

// errorObject is the JSON object of a text that is an error, else the first one, else
// the text.
func errorObject(text string) string {
	text, _, _ = strings.Cut(text, "* Connection #")
	first := ""
	for at, tries := 0, 0; tries < 16; tries++ {
		next := strings.IndexByte(text[at:], '{')
		if next < 0 {
			break
		}
		at += next
		var object json.RawMessage
		decoder := json.NewDecoder(strings.NewReader(text[at:]))
		if decoder.Decode(&object) != nil {
			at++
			continue
		}
		if e, known := oauth.ParseErrorBody(object); known && e != (oauth.ErrorBody{}) {
			return string(object)
		}
		first = cmp.Or(first, string(object))
		at += int(decoder.InputOffset())
	}
	return cmp.Or(first, text)
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

// statusOf reads "HTTP/1.1 403 Forbidden", which is exact, "403 Forbidden", "403" and
// "status: 403"; 0 for all else.
func statusOf(line string) (status int, exact bool) {
	words := strings.Fields(line)
	if len(words) > 1 {
		first := strings.ToLower(strings.TrimSuffix(words[0], ":"))
		exact = strings.HasPrefix(first, "http/")
		if exact || first == "status" || first == "http" {
			words = words[1:]
		}
	}
	if len(words) == 0 || len(words) > 5 || len(words[0]) != 3 {
		return 0, false
	}
	status, err := strconv.Atoi(words[0])
	if err != nil || status < 100 || status > 599 {
		return 0, false
	}
	return status, exact
}

// statusBefore takes the status off a line that has the body too, as typed words have:
// 404 {"message":"no"}.
func statusBefore(line string) (code, rest string, ok bool) {
	code, rest, ok = strings.Cut(strings.TrimSpace(line), " ")
	status, _ := statusOf(code)
	whole, _ := statusOf(line)
	return code, rest, ok && status >= 400 && whole == 0
}

// isRequest reports whether a line begins a request (RFC 9112 §3).
func isRequest(line string) bool {
	words := strings.Fields(line)
	return len(words) == 3 && strings.HasPrefix(words[2], "HTTP/") && strings.ToUpper(words[0]) == words[0]
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

// isHeader reports whether a line is a header where nothing else says so: a name with a
// hyphen, or one of those that have none.
func isHeader(line string) bool {
	name, _, _ := strings.Cut(line, ":")
	plain := []string{
		"authorization", "cookie", "host", "server", "date", "via", "vary", "accept", "origin", "referer", "age",
		"allow", "connection", "expires", "location", "pragma", "etag", "forwarded",
	}
	return headerLine(line) && (strings.Contains(name, "-") || slices.Contains(plain, strings.ToLower(name)))
}

// headerLine reports whether a line has the form of a header: one word, a colon, a blank.
func headerLine(line string) bool {
	name, value, ok := strings.Cut(line, ":")
	return ok && name != "" && (value == "" || value[0] == ' ') &&
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

// typedScope is the text where it is one scope and nothing else: then "*" and a plain
// word are one too.
func typedScope(text string, services []providers.Service) []string {
	text = strings.TrimSpace(text)
	for _, service := range services {
		if slices.Contains(knownNames(service), text) {
			return []string{text}
		}
	}
	return nil
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
