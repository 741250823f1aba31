package har

import (
	"encoding/json"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// level is an object or an array of JSON that is being read.
type level struct {
	class  class
	object bool
	// name is that of the member whose value comes next, known says that it has been read.
	name  string
	known bool
	// key says that it belongs to a set of keys.
	key   bool
	count int
}

// jsonText writes JSON again while it is read, so that of what is cut or broken all stays up to
// there. Members keep their order, also where a name comes twice.
type jsonText struct {
	*eraser
	strings.Builder
	levels []level
}

// json is what is shown of JSON text.
func (e *eraser) json(text string) string {
	shown, _ := e.jsonPart(text)
	return shown
}

// jsonPart is what is shown of JSON text up to where it is broken or cut; whole says that it is not.
func (e *eraser) jsonPart(text string) (shown string, whole bool) {
	t := &jsonText{eraser: e}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		t.token(token)
	}
	whole = len(t.levels) == 0 && t.Len() > 0 && strings.TrimSpace(text[decoder.InputOffset():]) == ""
	return t.String(), whole
}

// token writes one more token.
func (t *jsonText) token(token json.Token) {
	if end, ok := token.(json.Delim); ok && (end == '}' || end == ']') {
		t.levels = t.levels[:len(t.levels)-1]
		t.WriteString(end.String())
		t.valueDone()
		return
	}
	top := t.top()
	if top != nil && top.object && !top.known {
		t.memberName(token)
		return
	}
	if top != nil && !top.object && top.count > 0 {
		t.WriteString(",")
	}
	if begin, ok := token.(json.Delim); ok {
		t.begin(begin)
		return
	}
	t.scalar(token)
	t.valueDone()
}

func (t *jsonText) top() *level {
	if len(t.levels) == 0 {
		return nil
	}
	return &t.levels[len(t.levels)-1]
}

func (t *jsonText) memberName(token json.Token) {
	top := t.top()
	name, _ := token.(string)
	if top.count > 0 {
		t.WriteString(",")
	}
	top.name, top.known = name, true
	t.quote(t.name(name))
	t.WriteString(":")
}

// begin opens an object or an array. What is in a secret is secret, unless its name says otherwise.
func (t *jsonText) begin(delim json.Delim) {
	next := level{class: t.class(), object: delim == '{'}
	if top := t.top(); top != nil {
		next.key = top.key || top.name == "keys" || top.name == "jwk" || top.name == "jwks"
	}
	t.levels = append(t.levels, next)
	t.WriteString(delim.String())
}

// class is that of the value that comes next.
func (t *jsonText) class() class {
	top := t.top()
	switch {
	case top == nil:
		return unknown
	case !top.object:
		return top.class
	}
	own := classOf(top.name, inJSON)
	if top.key {
		own = ofKey(top.name)
	}
	if own == unknown && top.class == hidden {
		return hidden
	}
	return own
}

func (t *jsonText) scalar(token json.Token) {
	class := t.class()
	switch v := token.(type) {
	case json.Number:
		if class == hidden {
			t.quote(t.hidden(v.String()))
			return
		}
		t.number(v.String())
	case string:
		t.quote(t.of(class, v))
	case bool:
		t.WriteString(map[bool]string{true: "true", false: "false"}[v])
	default:
		t.WriteString("null")
	}
}

// number writes a number, unless it is a secret.
func (t *jsonText) number(text string) {
	if shown := t.masked(text); shown != text {
		t.quote(shown)
		return
	}
	t.WriteString(text)
}

func (t *jsonText) quote(text string) {
	quoted, _ := secret.JSON(text) // of a string nothing fails
	t.WriteString(quoted)
}

func (t *jsonText) valueDone() {
	if top := t.top(); top != nil {
		top.count++
		top.known = false
	}
}
