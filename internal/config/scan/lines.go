package scan

import (
	"bytes"
	"slices"
)

// scanner reads lines of the small part of YAML that it knows for certain:
// two or three levels of mappings, plain and quoted values on one line, lists and mappings of
// such values, mappings of them in braces. A file it is sure of is valid YAML and means what the
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
	// memberIndent is that of the names in the current key's mapping, 0 before the first, and members
	// are those names.
	memberIndent int
	members      [][]byte
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
		s.itemIndent, s.keyIndent, s.memberIndent, s.listOpen = 0, 0, 0, empty
		s.part = listed
		return isValue(value), true
	case slices.Contains(Scalars(), key):
		return isValue(value), true
	case IsOwn(key):
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
	s.nameIndent, s.keyIndent, s.listOpen, s.keys, s.memberIndent = indent, 0, false, s.keys[:0], 0
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
func (s *scanner) addKey(key []byte) bool { return addName(&s.keys, key) }

// addName adds a name to those that are known, and reports whether it is none of them.
func addName(known *[][]byte, name []byte) bool {
	for _, k := range *known {
		if bytes.Equal(k, name) {
			return false
		}
	}
	*known = append(*known, name)
	return true
}

func (s *scanner) setting(indent int, rest []byte) bool {
	if s.listOpen && s.keyIndent > 0 && indent > s.keyIndent {
		return s.member(indent, rest)
	}
	key, value, ok := splitKey(rest)
	if !ok || s.keyIndent != 0 && indent != s.keyIndent || !s.addKey(key) {
		return false
	}
	s.keyIndent, s.itemIndent, s.memberIndent, s.members = indent, 0, 0, s.members[:0]
	s.listOpen = isEmptyValue(value)
	return isValue(value) || s.isFlowMap(value)
}

// member reads a line of the mapping below a key, which has no mapping in it. Its names are those
// of parameters and headers.
func (s *scanner) member(indent int, rest []byte) bool {
	name, value, ok := splitName(rest)
	if !ok || s.itemIndent != 0 || s.memberIndent != 0 && indent != s.memberIndent || !addName(&s.members, name) {
		return false
	}
	s.memberIndent = indent
	return isValue(value)
}

func (s *scanner) item(indent int, rest []byte) bool {
	if !s.listOpen || s.memberIndent != 0 || indent < s.keyIndent || s.itemIndent != 0 && indent+1 != s.itemIndent {
		return false
	}
	s.itemIndent = indent + 1
	value := bytes.TrimLeft(rest[1:], " ")
	return !isEmptyValue(value) && isValue(value)
}

func isItem(rest []byte) bool { return len(rest) > 1 && rest[0] == '-' && rest[1] == ' ' }
