package scan

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

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
func splitKey(rest []byte) (key, value []byte, ok bool) { return splitAt(rest, isKeyByte) }

// splitName splits "Name: value". The name is one in the mapping of a setting, where capitals stay.
func splitName(rest []byte) (name, value []byte, ok bool) {
	return splitAt(rest, func(c byte, first bool) bool { return isKeyByte(c, first) || c >= 'A' && c <= 'Z' })
}

func splitAt(rest []byte, isByte func(c byte, first bool) bool) (key, value []byte, ok bool) {
	i := 0
	for i < len(rest) && isByte(rest[i], i == 0) {
		i++
	}
	if i == 0 || i > 100 || i == len(rest) || rest[i] != ':' || i+1 < len(rest) && rest[i+1] != ' ' {
		return nil, nil, false
	}
	for _, word := range []string{"null", "true", "false"} {
		if bytes.EqualFold(rest[:i], []byte(word)) {
			return nil, nil, false
		}
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
	// Of a thousand profiles this looks at each byte.
	for i, c := range value {
		switch c {
		case ':':
			if i+1 == len(value) || value[i+1] == ' ' {
				return false
			}
		case '#':
			if i > 0 && value[i-1] == ' ' {
				return true
			}
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
// lists and mappings of such. An empty one is none.
func (s *scanner) isFlowMapping(value []byte) bool {
	n := flowPairsLen(value, splitKey, &s.keys, s.flowMapLen)
	return n > 0 && len(s.keys) > 0 && isEnd(value[n:])
}

// isFlowMap reports whether value is a setting's mapping in braces and nothing else.
func (s *scanner) isFlowMap(value []byte) bool {
	n := s.flowMapLen(value)
	return n > 0 && isEnd(value[n:])
}

// flowMapLen returns the length of a setting's mapping in braces at the beginning of value, 0 when it
// holds anything but names as in splitName with plain and quoted scalars and lists of such.
func (s *scanner) flowMapLen(value []byte) int {
	s.members = s.members[:0]
	return flowPairsLen(value, splitName, &s.members, nil)
}

// splitter splits "name: value" where it is sure of the name.
type splitter func(rest []byte) (name, value []byte, ok bool)

// flowPairsLen returns the length of a mapping in braces at the beginning of value, 0 for anything
// else. It adds its names to those that are known, which none of them may be. Length measures the
// mappings in it, nil for none.
func flowPairsLen(value []byte, split splitter, known *[][]byte, length func(rest []byte) int) int {
	if value[0] != '{' {
		return 0
	}
	return flowLen(value, '}', func(rest []byte) int {
		name, of, ok := split(rest)
		if !ok || len(of) == 0 || !addName(known, name) {
			return 0
		}
		var n int
		switch {
		case of[0] == '[':
			n = flowListLen(of)
		case of[0] == '{' && length != nil:
			n = length(of)
		default:
			n = flowItemLen(of, true)
		}
		if n == 0 {
			return 0
		}
		return len(rest) - len(of) + n
	})
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
