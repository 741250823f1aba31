package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestDraw(t *testing.T) {
	t.Parallel()
	bars := series{Name: "part", Points: []point{
		{Label: "quick", Y: 2, Low: 1, High: 3},
		{Label: "slow", Y: 50, Low: 40, High: 60, Faint: true},
	}}
	line := series{Name: "line", Points: []point{{X: 1, Y: 2, Low: 1, High: 3}, {X: 100, Y: 4, Low: 4, High: 4}}}
	for _, c := range []chart{
		{Title: "bars", Kind: "bars", Most: 10, Series: []series{bars}},
		{Title: "stacked bars", Kind: "bars", Series: []series{bars, bars}},
		{Title: "lines", Kind: "lines", LogX: true, Series: []series{line, {Name: "faint", Points: line.Points, Faint: true}}},
		{Title: "decades", Kind: "lines", LogX: true, LogY: true, Series: []series{
			{Name: "computed", Points: line.Points, Only: "line"}, {Name: "measured", Points: line.Points, Only: "marks"},
		}},
	} {
		picture, err := c.draw()
		if err != nil {
			t.Fatalf("%s: %v", c.Title, err)
		}
		written := texts(t, string(picture))
		want := []string{c.Title}
		for _, s := range c.Series {
			if c.Kind == "lines" || len(c.Series) > 1 {
				want = append(want, s.Name)
			}
		}
		if c.Most > 0 {
			want = append(want, "quick", "slow", "2.0", "50.0 →")
		}
		for _, text := range want {
			if !strings.Contains(written, "\n"+text+"\n") {
				t.Errorf("%s: the picture lacks %q, it has:%s", c.Title, text, written)
			}
		}
		if !strings.Contains(string(picture), "prefers-color-scheme") || strings.Contains(string(picture), "NaN") {
			t.Errorf("%s: no style for dark pages, or no numbers: %s", c.Title, picture)
		}
	}
}

// texts returns what a picture has written in it, a line each.
func texts(t *testing.T, svg string) string {
	t.Helper()
	var all strings.Builder
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return all.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			all.WriteString("\n" + strings.TrimSpace(string(text)) + "\n")
		}
	}
}
