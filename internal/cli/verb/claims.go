package verb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/term"
)

// claim is one member of a JSON object in the order in which it came.
type claim struct {
	name  string
	value json.RawMessage
}

// claimsOf splits a JSON object.
func claimsOf(object json.RawMessage) ([]claim, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("the answer is not a JSON object")
	}
	list := []claim{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		c := claim{name: fmt.Sprint(name)}
		if err := decoder.Decode(&c.value); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// text is a value for people: strings as they are, everything else as JSON, cleaned
// of what a terminal would obey. Moments get their words.
func (c claim) text(now time.Time) string {
	var s string
	if json.Unmarshal(c.value, &s) == nil {
		return secret.CleanText(s)
	}
	var seconds float64
	if slices.Contains([]string{"exp", "iat", "nbf", "auth_time", "updated_at"}, c.name) &&
		json.Unmarshal(c.value, &seconds) == nil && seconds > 0 && seconds < 1e11 {
		at := time.Unix(int64(seconds), 0)
		return fmt.Sprintf("%.0f  %s, %s", seconds, moment.Text(at), moment.Away(at.Sub(now)))
	}
	var compact bytes.Buffer
	if json.Compact(&compact, c.value) != nil {
		return "?"
	}
	return secret.CleanText(compact.String())
}

// ClaimTable shows an object as a table.
func ClaimTable(object json.RawMessage, now time.Time) (term.Table, error) {
	table := term.Table{Header: []string{"CLAIM", "VALUE"}}
	list, err := claimsOf(object)
	for _, c := range list {
		table.Rows = append(table.Rows, []string{secret.CleanText(c.name), c.text(now)})
	}
	return table, err
}

// Object prints a JSON object: as a table for people or, with -o json, as the service gave
// it.
func (d *Deps) Object(output *Output, object json.RawMessage) error {
	if output.JSON() {
		return d.UI.JSON(object)
	}
	table, err := ClaimTable(object, d.Now())
	if err != nil {
		return err
	}
	return d.UI.Table(table)
}
