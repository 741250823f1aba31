// Command plot draws charts as SVG. It reads what `go run ./bench -charts` and `go run ./bench/fleet -charts` write from stdin, and writes a file for each
// chart into the directory that is its argument. It knows nothing of what the charts show.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A chart is one picture.
type chart struct {
	File, Title, X, Y string
	// Kind is bars, which lie and are stacked where there are several series, or lines.
	Kind string
	// LogX spaces the abscissa by its logarithm, LogY the ordinate.
	LogX, LogY bool
	// Most is where the scale of the bars ends, 0 for where the longest does. Longer ones are cut off there.
	Most   float64
	Series []series
}

// A series is a line, or one part of each bar.
type series struct {
	Name   string
	Points []point
	// Faint is drawn grey and dashed: what others are compared with.
	Faint bool
	// Only is "line" for what was computed, with no marks and no quartiles, "marks" for what was measured of the line before,
	// in the paint of that; empty is both.
	Only string
}

// A point is a value with its quartiles, which are equal to it where there are none.
type point struct {
	X            float64
	Label        string
	Y, Low, High float64
	Faint        bool
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "plot: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return errors.New("its argument is the directory for the pictures")
	}
	var charts []chart
	if err := json.NewDecoder(os.Stdin).Decode(&charts); err != nil {
		return fmt.Errorf("reading the charts: %w", err)
	}
	if err := os.MkdirAll(os.Args[1], 0o755); err != nil {
		return err
	}
	for _, c := range charts {
		picture, err := c.draw()
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		if err := os.WriteFile(filepath.Join(os.Args[1], c.File), picture, 0o644); err != nil {
			return err
		}
	}
	return nil
}

const (
	width     = 660
	barHeight = 26
	frame     = 100 // what the title and the abscissa take of the height
)

// draw returns the picture as SVG.
func (c chart) draw() ([]byte, error) {
	p := c.blank()
	height, add := 320.0, c.addLines
	if c.Kind == "bars" {
		height, add = frame+barHeight*(float64(len(c.Series[0].Points))+c.legendBars()), c.addBars
	}
	if err := add(p); err != nil {
		return nil, err
	}
	canvas := vgsvg.New(width, vg.Length(height))
	p.Draw(draw.Crop(draw.New(canvas), 8, -16, 8, -8))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	return []byte(adapt(b.String())), nil
}

// blank is the plot without its content.
func (c chart) blank() *plot.Plot {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.Title.TextStyle.Font.Size, p.Title.Padding = 14, 10
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Tick.Color = grey, grey
		axis.Label.TextStyle.Font.Size, axis.Tick.Label.Font.Size = 11, 11
	}
	p.Legend.TextStyle.Font.Size, p.Legend.Padding = 11, 3
	return p
}

// style makes a picture fit for a dark page. What it names is written by vgsvg.
const style = `<style>
text{fill:#1f2328;font-family:'Liberation Sans',Arial,Helvetica,sans-serif}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}path[style*="fill:#FFFFFF"]{fill:#0d1117!important}}
</style>
`

// adapt puts the style into an SVG, and takes out what would stand in its way: fonts that most machines lack.
func adapt(svg string) string {
	svg = strings.ReplaceAll(svg, "font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;", "")
	return strings.Replace(svg, "<g transform", style+"<g transform", 1)
}
