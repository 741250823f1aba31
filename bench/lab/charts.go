//go:build linux

package lab

import "encoding/json"

// A Chart is what one picture shows, as tools/plot reads it.
type Chart struct {
	File, Title, X, Y string
	// Kind is bars or lines.
	Kind string
	// LogX spaces the abscissa by its logarithm, LogY the ordinate.
	LogX bool `json:",omitzero"`
	LogY bool `json:",omitzero"`
	// Most is where the scale of the bars ends, 0 for where the longest does.
	Most   float64 `json:",omitzero"`
	Series []Series
}

// A Series is a line, or one part of each bar.
type Series struct {
	Name   string
	Points []Point
	// Faint is what others are compared with.
	Faint bool `json:",omitzero"`
	// Only is "line" for what was computed, "marks" for what was measured of the line before; empty is both.
	Only string `json:",omitempty"`
}

// A Point is a value with its quartiles, which are equal to it where there are none.
type Point struct {
	X            float64 `json:",omitzero"`
	Label        string  `json:",omitempty"`
	Y, Low, High float64
	Faint        bool `json:",omitzero"`
}

// At is a point without quartiles.
func At(x, y float64) Point { return Point{X: x, Y: y, Low: y, High: y} }

// Plot is what tools/plot reads of some charts.
func Plot(charts ...Chart) (string, error) {
	text, err := json.MarshalIndent(charts, "", " ")
	return string(text) + "\n", err
}
