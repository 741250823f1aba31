package config

import (
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// draft is a configuration file being changed: its lines, with their ends, and
// the nodes that tell which line is which. Whatever is not spliced stays as it
// is, byte for byte.
type draft struct {
	lines []string
	// eol is the file's own line end.
	eol string
	// bare says that the last line had no end.
	bare bool
	root *yaml.Node
}

func newDraft(text []byte) (*draft, error) {
	root, err := parseRoot(text)
	if err != nil {
		return nil, err
	}
	if root != nil {
		if err := checkTopLevel(root); err != nil {
			return nil, err
		}
	}
	d := &draft{lines: strings.SplitAfter(string(text), "\n"), eol: "\n", root: root}
	last := len(d.lines) - 1
	if d.bare = d.lines[last] != ""; !d.bare {
		d.lines = d.lines[:last]
	}
	if len(d.lines) > 0 && strings.HasSuffix(d.lines[0], "\r\n") {
		d.eol = "\r\n"
	}
	if d.bare {
		d.lines[last] += d.eol
	}
	return d, nil
}

func (d *draft) text() []byte {
	text := strings.Join(d.lines, "")
	if d.bare {
		text = strings.TrimSuffix(text, d.eol)
	}
	return []byte(text)
}

// splice replaces the lines from start up to end, counted from 0.
func (d *draft) splice(start, end int, with ...string) {
	var lines []string
	lines = append(lines, d.lines[:start]...)
	for _, line := range with {
		lines = append(lines, line+d.eol)
	}
	d.lines = append(lines, d.lines[end:]...)
}

// add puts a profile behind the last one.
func (d *draft) add(name string, values []KeyValue) error {
	key, profiles := lookup(d.root, "profiles")
	if old, _ := lookup(profiles, name); old != nil {
		return &Error{
			Line: old.Line, Problem: fmt.Sprintf("profile %s exists already", name), Err: ErrExists,
			Suggestion: anotherName(name),
		}
	}
	indent, step := d.indents(profiles)
	lines, err := profileLines(name, values, indent, step)
	if err != nil {
		return err
	}
	paste := strings.Join(lines, "\n")
	switch {
	case key == nil && d.root != nil && d.root.Style&yaml.FlowStyle != 0:
		return d.byHand("it is in flow style", "profiles:\n"+paste)
	case key == nil:
		d.splice(len(d.lines), len(d.lines), append([]string{"profiles:"}, lines...)...)
	case len(profiles.Content) == 0:
		if !d.open(key, profiles) {
			return d.byHand("its profiles are in a style that authctl does not edit", paste)
		}
		d.splice(key.Line, key.Line, lines...)
	case profiles.Style&yaml.FlowStyle != 0:
		return d.byHand("its profiles are in flow style", paste)
	default:
		end := d.end(key)
		d.splice(end, end, lines...)
	}
	want := map[string]any{}
	for _, kv := range values {
		want[kv.Key] = plainValue(kv)
	}
	return d.verify(paste, func(_, profiles map[string]any) { profiles[name] = want })
}

// indents returns how far names are indented, and their settings from there, as
// the file has it; two blanks each in a new one.
func (d *draft) indents(profiles *yaml.Node) (indent, step int) {
	if profiles == nil || len(profiles.Content) == 0 || profiles.Style&yaml.FlowStyle != 0 {
		return 2, 2
	}
	first, settings := profiles.Content[0], profiles.Content[1]
	indent, step = first.Column-1, 2
	if settings.Kind == yaml.MappingNode && settings.Style&yaml.FlowStyle == 0 && settings.Column > first.Column {
		step = settings.Column - first.Column
	}
	return indent, step
}

// open takes the {} or null away that stands for no profiles.
func (d *draft) open(key, value *yaml.Node) bool {
	line := d.lines[key.Line-1]
	rest, ok := strings.CutPrefix(line, "profiles:")
	if !ok {
		return false
	}
	rest, end := cutEnd(rest)
	word, comment := rest, ""
	if i := strings.Index(rest, " #"); i >= 0 {
		word, comment = rest[:i], rest[i:]
	}
	switch strings.ReplaceAll(strings.TrimSpace(word), " ", "") {
	case "", "{}", "~", "null":
		d.lines[key.Line-1] = "profiles:" + comment + end
		return value.Line <= key.Line
	}
	return false
}

func cutEnd(line string) (text, end string) {
	text = strings.TrimRight(line, "\r\n")
	return text, line[len(text):]
}

// end returns the line behind the last profile: what follows are blank lines,
// comments at the margin and the next key.
func (d *draft) end(key *yaml.Node) int {
	end := len(d.lines)
	for i := 0; i < len(d.root.Content); i += 2 {
		if line := d.root.Content[i].Line; line > key.Line {
			end = min(end, line-1)
		}
	}
	for end > key.Line && d.isLoose(end-1, 0) {
		end--
	}
	return end
}

// isLoose reports whether a line is blank, a comment that is not indented
// further than indent, or the end of the document.
func (d *draft) isLoose(i, indent int) bool {
	text := strings.TrimSpace(d.lines[i])
	switch {
	case text == "":
		return true
	case text[0] == '#':
		return strings.IndexByte(d.lines[i], '#') <= indent
	}
	return strings.HasPrefix(d.lines[i], "...")
}

func (d *draft) isBlank(i int) bool { return strings.TrimSpace(d.lines[i]) == "" }

// remove takes a profile out, with the comments right above it, and
// default_profile when it names this one: a default that does not exist would
// make every call without a name fail.
func (d *draft) remove(name string) error {
	key, profiles := lookup(d.root, "profiles")
	old, _ := lookup(profiles, name)
	if old == nil {
		return d.unknown(name, profiles)
	}
	if profiles.Style&yaml.FlowStyle != 0 {
		return d.byHand("its profiles are in flow style", "")
	}
	start, end := d.extent(key, profiles, old)
	defaultKey, value := lookup(d.root, "default_profile")
	isDefault := value != nil && value.Value == name
	switch {
	case isDefault && defaultKey.Line > old.Line:
		d.splice(defaultKey.Line-1, defaultKey.Line)
		d.splice(start, end)
	case isDefault:
		d.splice(start, end)
		d.splice(defaultKey.Line-1, defaultKey.Line)
	default:
		d.splice(start, end)
	}
	return d.verify("", func(root, profiles map[string]any) {
		delete(profiles, name)
		if isDefault {
			delete(root, "default_profile")
		}
	})
}

// extent returns the lines of a profile: from the comments right above its name
// to the last line that belongs to it, and one of two gaps around it.
func (d *draft) extent(key, profiles, old *yaml.Node) (start, end int) {
	start, end = old.Line-1, d.end(key)
	for i := 0; i < len(profiles.Content); i += 2 {
		if line := profiles.Content[i].Line; line > old.Line {
			end = min(end, line-1)
		}
	}
	indent := old.Column - 1
	for end > start+1 && d.isLoose(end-1, indent) {
		end--
	}
	for start > key.Line && !d.isBlank(start-1) && d.isLoose(start-1, indent) {
		start--
	}
	for end < len(d.lines) && d.isBlank(end) && (start == key.Line || d.isBlank(start-1)) {
		end++
	}
	for end == len(d.lines) && start > key.Line && d.isBlank(start-1) {
		start--
	}
	return start, end
}

// setDefault writes default_profile, in its place or above the other keys.
func (d *draft) setDefault(name string) error {
	_, profiles := lookup(d.root, "profiles")
	if old, _ := lookup(profiles, name); old == nil {
		return d.unknown(name, profiles)
	}
	text, err := encode(KeyValue{Text: name})
	if err != nil {
		return &Error{Key: "default_profile", Problem: "cannot be written as YAML", Err: err}
	}
	line := "default_profile: " + text
	key, value := lookup(d.root, "default_profile")
	switch {
	case key == nil && d.root.Style&yaml.FlowStyle != 0:
		return d.byHand("it is in flow style", line)
	case key == nil:
		at := d.top()
		d.splice(at, at, line)
	case !d.replaceScalar(key, value, text):
		return d.byHand("default_profile is in a style that authctl does not edit", line)
	}
	return d.verify(line, func(root, _ map[string]any) { root["default_profile"] = name })
}

// top returns the line of the first key, or that of the comment right above it
// unless the comment opens the file, because then it is about the whole of it.
func (d *draft) top() int {
	first := d.root.Content[0].Line - 1
	at := first
	for at > 0 && strings.HasPrefix(d.lines[at-1], "#") {
		at--
	}
	if at == 0 {
		return first
	}
	return at
}

// replaceScalar puts text where the value of a key at the margin stands.
func (d *draft) replaceScalar(key, value *yaml.Node, text string) bool {
	line, end := cutEnd(d.lines[key.Line-1])
	rest, ok := strings.CutPrefix(line, "default_profile:")
	if !ok {
		return false
	}
	word := strings.TrimLeft(rest, " ")
	gap := rest[:len(rest)-len(word)]
	n := len(value.Value)
	switch {
	case word == "" || word[0] == '#':
		d.lines[key.Line-1] = strings.TrimRight("default_profile: "+text+" "+word, " ") + end
		return true
	case word[0] == '"' || word[0] == '\'':
		n = quotedLen([]byte(word))
		ok = n > 0
	default:
		ok = n > 0 && strings.HasPrefix(word, value.Value)
	}
	if !ok {
		return false
	}
	d.lines[key.Line-1] = "default_profile:" + gap + text + word[n:] + end
	return true
}

func (d *draft) unknown(name string, profiles *yaml.Node) error {
	var names []string
	for i := 0; profiles != nil && i < len(profiles.Content); i += 2 {
		names = append(names, profiles.Content[i].Value)
	}
	return missing(name, names)
}

func (d *draft) byHand(why, paste string) error {
	e := &Error{Problem: "cannot be changed safely: " + why, Suggestion: "change it by hand"}
	if paste != "" {
		e.Suggestion = "add this by hand:\n" + paste
	}
	return e
}

// verify parses the old text and the new and checks that they differ in what
// change does and in nothing else.
func (d *draft) verify(paste string, change func(root, profiles map[string]any)) error {
	want, got := map[string]any{}, map[string]any{}
	if d.root != nil {
		if err := d.root.Decode(&want); err != nil {
			return valueError(d.root, err)
		}
	}
	root, err := parseRoot(d.text())
	if err == nil && root != nil {
		err = root.Decode(&got)
	}
	wantProfiles, gotProfiles := profilesOf(want), profilesOf(got)
	if err != nil || wantProfiles == nil || gotProfiles == nil {
		return d.byHand("the result would not be what it should", paste)
	}
	change(want, wantProfiles)
	if !reflect.DeepEqual(want, got) {
		return d.byHand("the result would not be what it should", paste)
	}
	return nil
}

// profilesOf returns the profiles, made where there are none, nil when they are
// not a mapping of text.
func profilesOf(root map[string]any) map[string]any {
	if root["profiles"] == nil {
		root["profiles"] = map[string]any{}
	}
	profiles, _ := root["profiles"].(map[string]any)
	return profiles
}
