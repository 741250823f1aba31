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
	// Keys are the keys at the margin, each with all that is below it.
	Keys []Span
	// Profiles and Bases are in the order of the file.
	Profiles, Bases []Span
}

// Span is a part of the text: whole lines, the first of them a key's.
type Span struct {
	Name string
	// Line is the first line, from 1.
	Line int
	// Start and End are offsets in the text.
	Start, End int
}

// Key returns where a key at the margin stands, the zero Span when it is not there.
func (l Layout) Key(name string) Span { return find(l.Keys, name) }

func find(spans []Span, name string) Span {
	for _, s := range spans {
		if s.Name == name {
			return s
		}
	}
	return Span{}
}

// Names returns the names of the profiles.
func (l Layout) Names() []string { return namesOf(l.Profiles) }

func namesOf(spans []Span) []string {
	names := make([]string, len(spans))
	for i, s := range spans {
		names[i] = s.Name
	}
	return names
}

// scanner reads lines of the small part of YAML that it knows for certain:
// two or three levels of mappings, plain and quoted values on one line, lists of such
// values, mappings of them in braces. A file it is sure of is valid YAML and means what the
// Layout says.
type scanner struct {
	Layout
	begun bool // a key or the document marker was seen
	ended bool // the marker of the document's end was seen
	// part is what the lines below the last key at the margin are.
	part part
	// entries are those of the last key, nil where it has none.
	entries    *[]Span
	names      map[string]struct{}
	nameIndent int // of the entries' names, 0 before the first
	keyIndent  int // of the current entry's keys, 0 before the first, closed behind braces
	itemIndent int // of the current list's items, plus 1, 0 before the first
	listOpen   bool
	keys       [][]byte // of the current entry
}

// part is what the lines below a key at the margin are.
type part int

const (
	nothing   part = iota // no line may follow
	entryPart             // profiles or bases
	listed                // items of include
	ownPart               // whatever its author likes
)

// closed is no indent that a line has.
const closed = -1

// Scan finds the parts of a configuration's text. Odd is the first line whose meaning it is
// not sure of (anchors, tags, values over several lines, unknown or repeated keys, …), 0 when
// there is none: with one, whoever reads has to parse the whole file, which also gives a
// proper error when there is one. Lost is the line from which on it does not know what
// stands where, 0 when it does, and the Layout is of what is above: whoever writes has to
// check the rest against the parser.
func Scan(text []byte) (l Layout, odd, lost int) {
	// A profile has some 200 bytes; room for all of them is cheaper than growing.
	s := scanner{}
	s.Profiles = make([]Span, 0, len(text)/200)
	for start, number := 0, 1; start < len(text); number++ {
		end, next := len(text), len(text)
		if i := bytes.IndexByte(text[start:], '\n'); i >= 0 {
			end, next = start+i, start+i+1
		}
		line := bytes.TrimSuffix(text[start:end], []byte{'\r'})
		sure, found := s.line(line, Span{Line: number, Start: start, End: next})
		if !found {
			return s.Layout, number, number
		}
		if !sure && odd == 0 {
			odd = number
		}
		start = next
	}
	s.closeKey(len(text))
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
	case s.ended:
		return false, false
	case s.part == listed && isItem(rest):
		return s.listOpen && s.item(indent, rest), true
	case indent == 0:
		return s.topLevel(rest, at)
	case s.part == nothing:
		return false, false
	case s.part != entryPart:
		return false, true
	case s.nameIndent == 0 || indent == s.nameIndent:
		return s.entry(indent, rest, at)
	case indent < s.nameIndent:
		return false, false
	case isItem(rest):
		return s.item(indent, rest), true
	}
	return s.setting(indent, rest), true
}

func (s *scanner) topLevel(rest []byte, at Span) (sure, found bool) {
	if string(rest) == "---" && !s.begun {
		s.begun = true
		return true, true
	}
	if bytes.HasPrefix(rest, []byte("...")) {
		s.closeKey(at.Start)
		s.ended, s.part = true, nothing
		return false, true
	}
	var value []byte
	at.Name, value, sure, found = looseKey(rest)
	if !found || s.Key(at.Name) != (Span{}) {
		return false, false
	}
	s.closeKey(at.Start)
	fits, found := s.open(at.Name, value)
	if !found {
		return false, false
	}
	s.begun, s.Keys = true, append(s.Keys, at)
	return sure && fits, true
}

// open begins with what a key at the margin has. It is not found when the key is not known.
func (s *scanner) open(key string, value []byte) (sure, found bool) {
	empty := isEmptyValue(value)
	s.part, s.entries = nothing, nil
	switch {
	case key == "profiles":
		s.entries = &s.Profiles
	case key == "bases":
		s.entries = &s.Bases
	case key == "include":
		s.itemIndent, s.keyIndent, s.listOpen = 0, 0, empty
		s.part = listed
		return isValue(value), true
	case slices.Contains(topScalars(), key):
		return isValue(value), true
	case isOwn(key):
		s.part = ownPart
		return false, true
	default:
		return false, false
	}
	if s.nameIndent = 0; empty {
		s.part, s.names = entryPart, make(map[string]struct{}, cap(*s.entries))
	}
	return empty, true
}

// closeKey ends the last key at the margin at offset.
func (s *scanner) closeKey(offset int) {
	s.closeEntry(offset)
	if !s.ended && len(s.Keys) > 0 {
		s.Keys[len(s.Keys)-1].End = offset
	}
}

// entry reads the line of a profile's or a base's name. It is sure only of one that begins with a
// letter and has nothing or a mapping in braces behind it.
func (s *scanner) entry(indent int, rest []byte, at Span) (sure, found bool) {
	var value []byte
	at.Name, value, sure, found = looseKey(rest)
	if _, repeated := s.names[at.Name]; repeated || !found {
		return false, false
	}
	s.closeEntry(at.Start)
	s.names[at.Name] = struct{}{}
	*s.entries = append(*s.entries, at)
	s.nameIndent, s.keyIndent, s.listOpen, s.keys = indent, 0, false, s.keys[:0]
	if isEmptyValue(value) {
		return sure, true
	}
	s.keyIndent = closed
	return sure && s.isFlowMapping(value), true
}

// closeEntry ends the last profile or base at offset, unless it has ended before.
func (s *scanner) closeEntry(offset int) {
	if s.part == entryPart && len(*s.entries) > 0 {
		(*s.entries)[len(*s.entries)-1].End = offset
	}
}

// addKey notes a key of the entry, and reports whether it is its first of that name.
func (s *scanner) addKey(key []byte) bool {
	for _, k := range s.keys {
		if bytes.Equal(k, key) {
			return false
		}
	}
	s.keys = append(s.keys, key)
	return true
}

func (s *scanner) setting(indent int, rest []byte) bool {
	key, value, ok := splitKey(rest)
	if !ok || s.keyIndent != 0 && indent != s.keyIndent || !s.addKey(key) {
		return false
	}
	s.keyIndent, s.itemIndent = indent, 0
	s.listOpen = isEmptyValue(value)
	return isValue(value)
}

func (s *scanner) item(indent int, rest []byte) bool {
	if !s.listOpen || indent < s.keyIndent || s.itemIndent != 0 && indent+1 != s.itemIndent {
		return false
	}
	s.itemIndent = indent + 1
	value := bytes.TrimLeft(rest[1:], " ")
	return !isEmptyValue(value) && isValue(value)
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

// looseKey splits "key: value" like splitKey, and is not sure of any other key, such as one in quotes.
func looseKey(rest []byte) (key string, value []byte, sure, found bool) {
	name, value, sure := splitKey(rest)
	if found = sure; !found {
		name, value, found = bytes.Cut(rest, []byte{':'})
		name = bytes.Trim(name, `"'`)
	}
	return string(name), value, sure, found
}

func isKeyByte(c byte, first bool) bool {
	if c >= 'a' && c <= 'z' {
		return true
	}
	return !first && (c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.')
}

// isEmptyValue reports whether nothing, or only a comment, follows the key.
func isEmptyValue(value []byte) bool { return len(value) == 0 || value[0] == '#' }

// isValue reports whether value is a scalar or a list of scalars that begins and
// ends on this line, or empty.
func isValue(value []byte) bool {
	if isEmptyValue(value) {
		return true
	}
	switch value[0] {
	case '"', '\'':
		n := quotedLen(value)
		return n > 0 && isEnd(value[n:])
	case '[':
		return isFlowList(value)
	}
	return isPlain(value)
}

// isEnd reports whether only blanks and a comment are left.
func isEnd(rest []byte) bool {
	trimmed := bytes.TrimLeft(rest, " ")
	return len(trimmed) == 0 || trimmed[0] == '#' && len(trimmed) < len(rest)
}

// isPlain checks a plain scalar in block context (YAML 1.2 §7.3.3).
func isPlain(value []byte) bool {
	c := value[0]
	if !isAlphanumeric(c) && c < utf8.RuneSelf && bytes.IndexByte([]byte(`/._~+$(\`), c) < 0 {
		return false
	}
	for i, c := range value {
		last := i+1 == len(value)
		switch {
		case c == ':' && (last || value[i+1] == ' '):
			return false
		case c == ' ' && !last && value[i+1] == '#':
			return true
		}
	}
	return true
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

// isFlowList reports whether value is a list in brackets and nothing else.
func isFlowList(value []byte) bool {
	n := flowListLen(value)
	return n > 0 && isEnd(value[n:])
}

// flowListLen returns the length of the list in brackets at the beginning of value, 0 when it
// holds anything but plain words and quoted scalars between commas.
func flowListLen(value []byte) int {
	return flowLen(value, ']', func(rest []byte) int { return flowItemLen(rest, false) })
}

// isFlowMapping checks a mapping in braces: keys as in splitKey, with plain and quoted scalars and
// lists of such. An empty one is none.
func (s *scanner) isFlowMapping(value []byte) bool {
	if value[0] != '{' {
		return false
	}
	n := flowLen(value, '}', func(rest []byte) int {
		key, of, ok := splitKey(rest)
		if !ok || len(of) == 0 || !s.addKey(key) {
			return 0
		}
		length := 0
		if of[0] == '[' {
			length = flowListLen(of)
		} else {
			length = flowItemLen(of, true)
		}
		if length == 0 {
			return 0
		}
		return len(rest) - len(of) + length
	})
	return n > 0 && len(s.keys) > 0 && isEnd(value[n:])
}

// flowLen returns the length of what begins with a bracket or brace and ends with end, 0 when one
// of the items between its commas has the length 0.
func flowLen(value []byte, end byte, item func(rest []byte) int) int {
	rest := bytes.TrimLeft(value[1:], " ")
	for len(rest) > 0 && rest[0] != end {
		n := item(rest)
		if n == 0 {
			return 0
		}
		rest = bytes.TrimLeft(rest[n:], " ")
		switch {
		case len(rest) == 0 || rest[0] != end && rest[0] != ',':
			return 0
		case rest[0] == ',':
			rest = bytes.TrimLeft(rest[1:], " ")
		}
	}
	if len(rest) == 0 {
		return 0
	}
	return len(value) - len(rest) + 1
}

// flowItemLen returns the length of a quoted scalar or a plain word, which may be a reference
// to a file or an address where it is not in a list.
func flowItemLen(rest []byte, inMapping bool) int {
	if rest[0] == '"' || rest[0] == '\'' {
		return quotedLen(rest)
	}
	n := 0
	for n < len(rest) && (isFlowByte(rest, n) || inMapping && n > 0 && isPathColon(rest, n)) {
		n++
	}
	return n
}

// isPathColon reports whether a colon has what a path begins with behind it.
func isPathColon(rest []byte, i int) bool {
	return rest[i] == ':' && i+2 < len(rest) && bytes.IndexByte([]byte("/.~"), rest[i+1]) >= 0 ||
		rest[i] == '~' && rest[i-1] == ':'
}

// isFlowByte allows letters and digits, and within a word also the signs that
// scopes and addresses are made of; a colon only between letters and digits.
func isFlowByte(rest []byte, i int) bool {
	c := rest[i]
	if isAlphanumeric(c) || i == 0 {
		return isAlphanumeric(c)
	}
	if c == ':' {
		return i+1 < len(rest) && isAlphanumeric(rest[i+1])
	}
	return c == '.' || c == '/' || c == '_' || c == '-'
}
