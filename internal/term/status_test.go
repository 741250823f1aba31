package term_test

import (
	"bytes"
	"testing"

	"github.com/authctl/authctl/internal/term"
)

func TestStatusLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := term.NewStatus(&b, true)
	s.Clear()
	s.Show("1 of 2")
	s.Show("2 of 2")
	s.Clear()
	s.Clear()
	if got, want := b.String(), "\r1 of 2\x1b[K\r2 of 2\x1b[K\r\x1b[K"; got != want {
		t.Errorf("terminal: %q, want %q", got, want)
	}
	b.Reset()
	s = term.NewStatus(&b, false)
	s.Show("1 of 2")
	s.Clear()
	if b.Len() > 0 {
		t.Errorf("no terminal: %q", b.String())
	}
	new(term.Status).Show("nowhere")
}

func TestBar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		done, total int
		want        string
	}{
		{0, 4, "[........]"},
		{1, 4, "[==......]"},
		{4, 4, "[========]"},
		{5, 4, "[========]"},
		{-1, 4, "[........]"},
		{0, 0, "[........]"},
	} {
		if got := term.Bar(c.done, c.total, 8); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.done, c.total, got, c.want)
		}
	}
}
