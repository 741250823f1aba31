package edit

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/config/scan"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// draft is a configuration file being changed: its lines, with their ends, and where its
// parts stand. Whatever is not spliced stays as it is, byte for byte.
type draft struct {
	scan.Layout
	lines []string
	// eol is the file's own line end.
	eol string
	// bare says that the last line had no end.
	bare bool
	// was is what the file said before, also where the places are not known.
	was config.Outline
	// lost is the line from which on the places of profiles are not known, 0 when all are.
	lost int
}

// newDraft fails on what is no configuration.
func newDraft(text []byte) (*draft, error) {
	d := &draft{lines: strings.SplitAfter(string(text), "\n"), eol: "\n"}
	var err error
	if d.was, err = config.ParseOutline(text); err != nil {
		return nil, err
	}
	if d.Layout, _, d.lost = scan.Scan(text); d.lost == 0 && !slices.Equal(d.Names(), d.was.Names) {
		d.lost = d.profilesLine()
	}
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

// profilesLine is the line of the key profiles, 0 when it is not there.
func (d *draft) profilesLine() int { return d.Key("profiles").Line }

func (d *draft) text() []byte {
	text := strings.Join(d.lines, "")
	if d.bare {
		text = strings.TrimSuffix(text, d.eol)
	}
	return []byte(text)
}

// splice replaces the lines from start up to end, counted from 0.
func (d *draft) splice(start, end int, with ...string) {
	for i := range with {
		with[i] += d.eol
	}
	d.lines = slices.Replace(d.lines, start, end, with...)
}

// add puts a profile behind the last one.
func (d *draft) add(name string, values []Setting) error {
	if slices.Contains(d.was.Names, name) {
		return exists(name)
	}
	indent, step := d.indents()
	lines, err := profileLines(name, values, indent, step)
	if err != nil {
		return err
	}
	paste := strings.Join(lines, "\n")
	if len(d.was.Names) == 0 {
		paste = "profiles:\n" + paste
	}
	switch {
	case d.lost > 0:
		return d.unsure(paste)
	case d.profilesLine() == 0:
		d.splice(len(d.lines), len(d.lines), append([]string{"profiles:"}, lines...)...)
	case len(d.was.Names) == 0:
		// The {} or null goes away that stands for no profiles.
		d.replaceValue(d.Key("profiles"), "")
		d.splice(d.profilesLine(), d.profilesLine(), lines...)
	default:
		end := d.end()
		d.splice(end, end, lines...)
	}
	return d.verify(name, d.was.Top, paste)
}

// indents returns how far names are indented, and their settings from there, as
// the file has it; two blanks each in a new one.
func (d *draft) indents() (indent, step int) {
	if len(d.Profiles) == 0 {
		return 2, 2
	}
	first := d.Profiles[0].Line
	indent, step = indentOf(d.lines[first-1]), 2
	for _, line := range d.lines[first:d.end()] {
		if text := strings.TrimSpace(line); text == "" || text[0] == '#' {
			continue
		}
		if more := indentOf(line) - indent; more > 0 {
			step = more
		}
		break
	}
	return indent, step
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// end returns the line behind the last profile: what follows are blank lines,
// comments at the margin and the next key.
func (d *draft) end() int {
	end := len(d.lines)
	for _, key := range slices.Backward(d.Keys) {
		if key.Line > d.profilesLine() {
			end = key.Line - 1
		}
	}
	for end > d.profilesLine() && d.isLoose(end-1, 0) {
		end--
	}
	return end
}

// isLoose reports whether a line is blank, the end of the document, or a comment that is not
// indented further than indent.
func (d *draft) isLoose(i, indent int) bool {
	text := strings.TrimSpace(d.lines[i])
	return text == "" || text[0] == '#' && indentOf(d.lines[i]) <= indent || strings.HasPrefix(d.lines[i], "...")
}

func (d *draft) isBlank(i int) bool { return strings.TrimSpace(d.lines[i]) == "" }

// remove takes a profile out, with the comments right above it, and
// default_profile when it names this one: a default that does not exist would
// make every call without a name fail.
func (d *draft) remove(name string) error {
	if !slices.Contains(d.was.Names, name) {
		return config.Missing(name, d.was.Names)
	}
	if d.lost > 0 {
		return d.unsure("")
	}
	start, end := d.extent(name)
	key, top := 0, maps.Clone(d.was.Top)
	if top[defaultProfile] == name {
		key = d.Key(defaultProfile).Line
		delete(top, defaultProfile)
	}
	if key > start {
		d.splice(key-1, key)
	}
	d.splice(start, end)
	if key > 0 && key <= start {
		d.splice(key-1, key)
	}
	return d.verify(name, top, "")
}

// extent returns the lines of a profile: from the comments right above its name
// to the last line that belongs to it, and one of two gaps around it.
func (d *draft) extent(name string) (start, end int) {
	i := slices.IndexFunc(d.Profiles, func(s scan.Span) bool { return s.Name == name })
	start, end = d.Profiles[i].Line-1, d.end()
	if i+1 < len(d.Profiles) {
		end = d.Profiles[i+1].Line - 1
	}
	indent := indentOf(d.lines[start])
	for end > start+1 && d.isLoose(end-1, indent) {
		end--
	}
	for start > d.profilesLine() && !d.isBlank(start-1) && d.isLoose(start-1, indent) {
		start--
	}
	for end < len(d.lines) && d.isBlank(end) && (start == d.profilesLine() || d.isBlank(start-1)) {
		end++
	}
	for end == len(d.lines) && start > d.profilesLine() && d.isBlank(start-1) {
		start--
	}
	return start, end
}

const defaultProfile = "default_profile"

// setDefault writes default_profile, for a profile of the file or one of the others that there
// are. It need not know where the profiles stand.
func (d *draft) setDefault(name string, others []string) error {
	all := slices.Clone(d.was.Names)
	for _, other := range others {
		if !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	if !slices.Contains(all, name) {
		return config.Missing(name, all)
	}
	return d.put(Setting{Key: defaultProfile, Text: name})
}

// setTop writes keys at the margin, none of which may have another value.
func (d *draft) setTop(values []Setting) error {
	for _, v := range values {
		is := d.was.Top[v.Key]
		if _, odd := d.was.Rest[v.Key]; odd || is != "" && is != v.Text {
			return &setting.Error{
				Line: d.Key(v.Key).Line, Name: v.Key, Problem: "is given already, and not as " + files.Short(v.Text),
				Help: "change it by hand, or take it away first", Err: ErrExists,
			}
		}
	}
	return d.put(values...)
}

// put writes keys at the margin, each in its place or above the other keys.
func (d *draft) put(values ...Setting) error {
	var fresh, all []string
	top, unplaced := maps.Clone(d.was.Top), len(d.Keys) == 0 && len(d.was.Names)+len(d.was.Rest) > 0
	for _, v := range values {
		text := kinds.Scalar(v.Text)
		at, is := d.Key(v.Key), top[v.Key]
		all = append(all, v.Key+": "+text)
		switch top[v.Key] = v.Text; {
		case is == v.Text:
		case at.Line > 0:
			d.replaceValue(at, text)
		default:
			fresh, unplaced = append(fresh, v.Key+": "+text), unplaced || is != ""
		}
	}
	paste := strings.Join(all, "\n")
	if unplaced {
		return d.unsure(paste)
	}
	if len(fresh) > 0 {
		at := d.top()
		d.splice(at, at, fresh...)
	}
	return d.verify("", top, paste)
}

// top returns the line of the first key, or that of the comment right above it unless the
// comment opens the file, because then it is about the whole of it; without a key the end.
func (d *draft) top() int {
	if len(d.Keys) == 0 {
		return len(d.lines)
	}
	first := d.Keys[0].Line - 1
	at := first
	for at > 0 && strings.HasPrefix(d.lines[at-1], "#") {
		at--
	}
	if at == 0 {
		return first
	}
	return at
}

// replaceValue puts text, or nothing, where the value of a key at the margin stands: before
// a comment.
func (d *draft) replaceValue(key scan.Span, text string) {
	line := &d.lines[key.Line-1]
	old := strings.TrimRight(*line, "\r\n")
	end := (*line)[len(old):]
	name, value, _ := strings.Cut(old, ":")
	comment := ""
	if i := strings.Index(value, " #"); i >= 0 {
		value, comment = value[:i], value[i:]
	}
	word := strings.TrimSpace(value)
	before, after, _ := strings.Cut(value, word)
	switch {
	case text == "":
		before, after = "", ""
	case word == "":
		before, after = " ", ""
	}
	*line = name + ":" + before + text + after + comment + end
}

// unsure is the error for a file that is written in a way that is not edited.
func (d *draft) unsure(paste string) error {
	return &setting.Error{
		Line: d.lost, Problem: "cannot be changed safely: it is in a style that authctl does not edit",
		Help: byHand(paste),
	}
}

// verify parses the new text and checks that the keys at the margin have the values they
// should have, and that all else is as it was, but for the changed profile.
func (d *draft) verify(changed string, top map[string]string, paste string) error {
	is, err := config.ParseOutline(d.text())
	_, before := d.was.Profiles[changed]
	_, after := is.Profiles[changed]
	delete(d.was.Profiles, changed)
	delete(is.Profiles, changed)
	for key := range top {
		delete(d.was.Rest, key)
	}
	same := alike(is.Profiles, d.was.Profiles) && alike(is.Rest, d.was.Rest) && maps.Equal(is.Top, top)
	if err == nil && same && before != after == (changed != "") {
		return nil
	}
	return &setting.Error{
		Problem: "cannot be changed safely: the result would not be what it should", Help: byHand(paste),
	}
}

// alike reports whether two parsed mappings are the same; nil is an empty one.
func alike(a, b map[string]any) bool { return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b) }

// byHand says what to do without this program.
func byHand(paste string) string {
	if paste == "" {
		return "change it by hand"
	}
	return "add this by hand:\n" + paste
}
