package config

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Layout is where the parts of a configuration file stand. It lets one profile be parsed
// without the thousand others, whose parsing costs more than all else that a warm call
// does, and one be changed without touching the others.
type Layout struct {
	// Default is the line of default_profile, Key that of the key profiles; the zero
	// Span when there is none.
	Default, Key Span
	// Profiles are in the order of the file.
	Profiles []Span
}

// Span is a part of the text: whole lines, the first of them a key's.
type Span struct {
	Name string
	// Line is the first line, from 1.
	Line int
	// Start and End are offsets in the text.
	Start, End int
	// From and To are where the key's value stands in the first line; the same when
	// there is none.
	From, To int
}

func (l Layout) find(name string) (Span, bool) {
	for _, s := range l.Profiles {
		if s.Name == name {
			return s, true
		}
	}
	return Span{}, false
}

// Names returns the names of the profiles.
func (l Layout) Names() []string {
	names := make([]string, len(l.Profiles))
	for i, s := range l.Profiles {
		names[i] = s.Name
	}
	return names
}

// scanner reads lines of the small part of YAML that it knows for certain:
// two or three levels of mappings, plain and quoted values on one line, lists of such
// values, a profile in braces. A file it accepts is valid YAML and means what the Layout
// says.
type scanner struct {
	Layout
	names      map[string]struct{}
	begun      bool // a key or the document marker was seen
	inProfiles bool
	nameIndent int // of the profiles' names, 0 before the first
	keyIndent  int // of the current profile's keys, 0 before the first, -1 when it can have none
	itemIndent int // of the current list's items, 0 before the first
	listOpen   bool
	keys       [][]byte // of the current profile
}

// Scan finds the parts of a configuration's text. Odd is the first line whose meaning it is
// not sure of (anchors, tags, values over several lines, unknown or repeated keys, …), 0 when
// there is none: with one, whoever reads has to parse the whole file, which also gives a
// proper error when there is one. Lost is the line from which on it does not know what
// stands where, 0 when it does: whoever writes has to check the rest against the parser.
func Scan(text []byte) (l Layout, odd, lost int) {
	// A profile has some 200 bytes; room for all of them is cheaper than growing.
	s := scanner{names: make(map[string]struct{}, len(text)/200)}
	s.Profiles = make([]Span, 0, len(text)/200)
	for start, number := 0, 1; start < len(text); number++ {
		end, next := len(text), len(text)
		if i := bytes.IndexByte(text[start:], '\n'); i >= 0 {
			end, next = start+i, start+i+1
		}
		line := bytes.TrimSuffix(text[start:end], []byte{'\r'})
		sure, found := s.line(line, Span{Line: number, Start: start, End: next})
		if !found {
			return Layout{}, number, number
		}
		if !sure && odd == 0 {
			odd = number
		}
		start = next
	}
	s.closeProfile(len(text))
	return s.Layout, odd, 0
}

// line reads a line. It is sure of what the line means, or has at least found its place.
func (s *scanner) line(line []byte, at Span) (sure, found bool) {
	if !printableLine(line) {
		return false, false
	}
	rest := bytes.TrimLeft(line, " ")
	indent := len(line) - len(rest)
	switch {
	case len(rest) == 0 || rest[0] == '#':
		return true, true
	case indent == 0:
		found = s.topLevel(rest, at)
		return found, found
	case !s.inProfiles:
		return false, false
	case s.nameIndent == 0 || indent == s.nameIndent:
		return s.profile(indent, rest, at)
	case indent < s.nameIndent:
		return false, false
	case isItem(rest):
		return s.item(indent, rest), true
	}
	return s.setting(indent, rest), true
}

func (s *scanner) topLevel(rest []byte, at Span) bool {
	if string(rest) == "---" && !s.begun {
		s.begun = true
		return true
	}
	key, value, ok := splitKey(rest)
	if !ok {
		return false
	}
	s.begun = true
	s.closeProfile(at.Start)
	n, ok := valueLen(value)
	switch string(key) {
	case "profiles":
		if !isEmptyValue(value) {
			n = nothingLen(value)
			ok = n > 0
		}
		ok = ok && s.Key == Span{}
		s.inProfiles = n == 0
		s.Key = at.withValue(len(key)+1, len(rest)-len(value), n)
	case "default_profile":
		ok = ok && s.Default == Span{}
		s.inProfiles = false
		s.Default = at.withValue(len(key)+1, len(rest)-len(value), n)
	default:
		return false
	}
	return ok
}

// withValue notes where the value stands: n bytes from some byte of the line on, or none
// behind the colon.
func (s Span) withValue(colon, from, n int) Span {
	if s.From, s.To = from, from+n; n == 0 {
		s.From, s.To = colon, colon
	}
	return s
}

// nothingLen returns the length of a value that stands for no profiles, 0 of another.
func nothingLen(value []byte) int {
	for _, word := range []string{"{}", "{ }", "~", "null"} {
		if rest, ok := bytes.CutPrefix(value, []byte(word)); ok && isEnd(rest) {
			return len(word)
		}
	}
	return 0
}

func (s *scanner) profile(indent int, rest []byte, at Span) (sure, found bool) {
	key, value, ok := splitName(rest)
	if !ok {
		return false, false
	}
	s.closeProfile(at.Start)
	at.Name = string(key)
	if _, repeated := s.names[at.Name]; repeated {
		return false, false
	}
	s.names[at.Name] = struct{}{}
	s.Profiles = append(s.Profiles, at)
	s.nameIndent, s.keyIndent, s.listOpen, s.keys = indent, 0, false, s.keys[:0]
	if isEmptyValue(value) {
		return true, true
	}
	s.keyIndent = -1
	return s.flowMapping(value), true
}

// flowMapping checks settings in braces, all on one line.
func (s *scanner) flowMapping(value []byte) bool {
	n := flowLen(value, '}', func(rest []byte) int {
		key, value, ok := splitKey(rest)
		switch {
		case !ok || len(value) == 0 || !s.isNewKey(key):
			return 0
		case value[0] == '[':
			value = value[flowListLen(value):]
		default:
			value = value[flowItemLen(value):]
		}
		return len(rest) - len(value)
	})
	return value[0] == '{' && n > 0 && isEnd(value[n:])
}

// closeProfile ends the last profile at offset, unless it has ended before.
func (s *scanner) closeProfile(offset int) {
	if s.inProfiles && len(s.Profiles) > 0 {
		s.Profiles[len(s.Profiles)-1].End = offset
	}
}

func (s *scanner) setting(indent int, rest []byte) bool {
	key, value, ok := splitKey(rest)
	if !ok || s.keyIndent != 0 && indent != s.keyIndent || !s.isNewKey(key) {
		return false
	}
	s.keyIndent, s.itemIndent = indent, 0
	s.listOpen = isEmptyValue(value)
	_, ok = valueLen(value)
	return ok
}

// isNewKey remembers a key of the current profile; false when it had it before.
func (s *scanner) isNewKey(key []byte) bool {
	for _, k := range s.keys {
		if bytes.Equal(k, key) {
			return false
		}
	}
	s.keys = append(s.keys, key)
	return true
}

func (s *scanner) item(indent int, rest []byte) bool {
	if !s.listOpen || indent < s.keyIndent || s.itemIndent != 0 && indent != s.itemIndent {
		return false
	}
	s.itemIndent = indent
	n, ok := valueLen(bytes.TrimLeft(rest[1:], " "))
	return ok && n > 0
}

func isItem(rest []byte) bool { return len(rest) > 1 && rest[0] == '-' && rest[1] == ' ' }

// printableLine reports whether the line holds only characters that YAML takes
// for ordinary ones (YAML 1.2 §5.1), tabs and odd line breaks left out.
func printableLine(line []byte) bool {
	for i := 0; i < len(line); {
		if i+8 <= len(line) && printableWord(binary.LittleEndian.Uint64(line[i:])) {
			i += 8
			continue
		}
		if c := line[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			return false
		}
		i += size
	}
	return true
}

// printableWord reports whether eight bytes are all printable ASCII, 0x20 to 0x7E.
func printableWord(word uint64) bool {
	const each = 0x0101010101010101
	high := word | (word + each) | (word - 0x20*each)
	return high&(0x80*each) == 0
}

// splitKey splits "key: value". The key is one that YAML reads as text: it
// begins with a lower-case letter and is no word for a truth value or null.
func splitKey(rest []byte) (key, value []byte, ok bool) {
	i := 0
	for i < len(rest) && isKeyByte(rest[i], i == 0) {
		i++
	}
	if i == 0 || i > 100 || i == len(rest) || rest[i] != ':' || i+1 < len(rest) && rest[i+1] != ' ' {
		return nil, nil, false
	}
	switch string(rest[:i]) {
	case "null", "true", "false":
		return nil, nil, false
	}
	return rest[:i], bytes.TrimLeft(rest[i+1:], " "), true
}

// splitName is splitKey for a profile's name, which may be in quotes, and may begin with a
// digit where YAML takes the whole for text.
func splitName(rest []byte) (name, value []byte, ok bool) {
	quoted := rest[0] == '"' || rest[0] == '\''
	if !quoted && (rest[0] < '0' || rest[0] > '9') {
		return splitKey(rest)
	}
	bare := rest
	if quoted {
		var closed bool
		if name, bare, closed = bytes.Cut(rest[1:], rest[:1]); !closed {
			return nil, nil, false
		}
		bare = slices.Concat(name, bare)
	}
	// With a letter before it, it is split as any key is.
	key, value, ok := splitKey(append([]byte{'x'}, bare...))
	if !ok || quoted && len(key) != len(name)+1 {
		return nil, nil, false
	}
	return key[1:], value, len(key) > 1 && (quoted || Scalar(string(key[1:])) == string(key[1:]))
}

func isKeyByte(c byte, first bool) bool {
	if c >= 'a' && c <= 'z' {
		return true
	}
	return !first && (c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.')
}

// isEmptyValue reports whether nothing, or only a comment, follows the key.
func isEmptyValue(value []byte) bool { return len(value) == 0 || value[0] == '#' }

// valueLen returns the length of a scalar, or of a list of scalars, that begins and ends on
// this line and has nothing but a comment behind it; 0 of one that is empty.
func valueLen(value []byte) (n int, ok bool) {
	switch {
	case isEmptyValue(value):
		return 0, true
	case value[0] == '"' || value[0] == '\'':
		n = quotedLen(value)
	case value[0] == '[':
		n = flowListLen(value)
	default:
		n = plainLen(value)
	}
	return n, n > 0 && isEnd(value[n:])
}

// isEnd reports whether only blanks and a comment are left.
func isEnd(rest []byte) bool {
	trimmed := bytes.TrimLeft(rest, " ")
	return len(trimmed) == 0 || trimmed[0] == '#' && len(trimmed) < len(rest)
}

// plainLen returns the length of a plain scalar in block context (YAML 1.2 §7.3.3), 0 when
// it is none for certain.
func plainLen(value []byte) int {
	c := value[0]
	if !isAlphanumeric(c) && c < utf8.RuneSelf && bytes.IndexByte([]byte(`/._~+$(\`), c) < 0 {
		return 0
	}
	for i, c := range value {
		last := i+1 == len(value)
		switch {
		case c == ':' && (last || value[i+1] == ' '):
			return 0
		case c == ' ' && !last && value[i+1] == '#':
			value = value[:i]
			return len(bytes.TrimRight(value, " "))
		}
	}
	return len(bytes.TrimRight(value, " "))
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// quotedLen returns the length of the quoted scalar at the beginning of value, 0
// when it does not end on this line or has an escape other than \\ and \".
func quotedLen(value []byte) int {
	quote := value[0]
	for i := 1; i < len(value); i++ {
		switch {
		case value[i] == '\\' && quote == '"':
			i++
			if i == len(value) || value[i] != '\\' && value[i] != '"' {
				return 0
			}
		case value[i] != quote:
		case quote == '\'' && i+1 < len(value) && value[i+1] == '\'':
			i++
		default:
			return i + 1
		}
	}
	return 0
}

// flowListLen returns the length of a list in brackets: plain words and quoted scalars
// between commas. It is 0 when it is none for certain.
func flowListLen(value []byte) int { return flowLen(value, ']', flowItemLen) }

// flowLen returns the length of what stands between brackets, the opening one included:
// items of some length between commas; 0 when one of them has none.
func flowLen(value []byte, closing byte, item func([]byte) int) int {
	rest := bytes.TrimLeft(value[1:], " ")
	for len(rest) > 0 && rest[0] != closing {
		n := item(rest)
		if n == 0 {
			return 0
		}
		rest = bytes.TrimLeft(rest[n:], " ")
		if len(rest) > 0 && rest[0] == closing {
			break
		}
		if len(rest) == 0 || rest[0] != ',' {
			return 0
		}
		rest = bytes.TrimLeft(rest[1:], " ")
	}
	if len(rest) == 0 {
		return 0
	}
	return len(value) - len(rest) + 1
}

func flowItemLen(rest []byte) int {
	if rest[0] == '"' || rest[0] == '\'' {
		return quotedLen(rest)
	}
	n := 0
	for n < len(rest) && isFlowByte(rest, n) {
		n++
	}
	return n
}

// isFlowByte allows letters and digits at the beginning, and within a word also the signs
// that scopes, addresses and paths are made of; a colon or a blank only before a letter or
// a digit.
func isFlowByte(rest []byte, i int) bool {
	c := rest[i]
	switch {
	case isAlphanumeric(c):
		return true
	case i == 0:
		return c == '/'
	case c == ':' || c == ' ':
		return i+1 < len(rest) && isAlphanumeric(rest[i+1])
	}
	return bytes.IndexByte([]byte("./_-~+*$%@=()"), c) >= 0
}
