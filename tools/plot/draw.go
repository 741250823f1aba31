package main

import (
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var (
	grey = color.RGBA{0x80, 0x8a, 0x96, 0xff}
	// palette is Okabe and Ito's, which the colour-blind can tell apart; each reads on white and on black.
	palette = []color.RGBA{
		{0x00, 0x80, 0xc8, 0xff}, {0xe6, 0x9f, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
	}
)

// addBars lays bars, the first point on top.
func (c chart) addBars(p *plot.Plot) error {
	count := len(c.Series[0].Points)
	ends := make([]float64, count)
	for i, s := range c.Series {
		for j, point := range s.Points {
			from := ends[j]
			ends[j] += point.Y
			fill := palette[i%len(palette)]
			if point.Faint {
				fill = grey
			}
			bar, err := plotter.NewPolygon(box(from, c.cut(ends[j]), float64(count-1-j)))
			if err != nil {
				return err
			}
			bar.Color, bar.LineStyle.Width = fill, 0
			p.Add(bar)
			if j == 0 && len(c.Series) > 1 {
				p.Legend.Add(s.Name, bar)
			}
		}
	}
	if err := c.addEnds(p, ends); err != nil {
		return err
	}
	p.Legend.Left = true
	p.X.Min, p.X.Max = 0, c.cut(slices.Max(ends))*1.12
	p.Y.Min, p.Y.Max = -0.6-c.legendBars(), float64(count)-0.4
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(short), named(c.Series[0].Points)
	// The names have room, because the reader's font may be wider than the one they are measured in.
	p.Y.Tick.Color, p.Y.Tick.Length = color.Transparent, 24
	return nil
}

// legendBars is how many bars would have room where the legend is.
func (c chart) legendBars() float64 {
	if len(c.Series) < 2 {
		return 0
	}
	return 0.75 * float64(len(c.Series))
}

func (c chart) cut(value float64) float64 {
	if c.Most > 0 {
		return min(value, c.Most)
	}
	return value
}

func box(from, to, y float64) plotter.XYs {
	const half = 0.34
	return plotter.XYs{{X: from, Y: y - half}, {X: to, Y: y - half}, {X: to, Y: y + half}, {X: from, Y: y + half}}
}

// addEnds writes its value behind each bar, and draws the quartiles of bars that have one part.
func (c chart) addEnds(p *plot.Plot, ends []float64) error {
	points := c.Series[0].Points
	labels := plotter.XYLabels{XYs: make(plotter.XYs, len(ends)), Labels: make([]string, len(ends))}
	for i, end := range ends {
		y := float64(len(ends) - 1 - i)
		place := c.cut(end)
		if quartiles := points[i]; len(c.Series) == 1 && end == place {
			place = c.cut(quartiles.High)
			whisker, err := plotter.NewLine(plotter.XYs{{X: quartiles.Low, Y: y}, {X: place, Y: y}})
			if err != nil {
				return err
			}
			whisker.Color, whisker.Width = color.RGBA{0x57, 0x60, 0x6a, 0xff}, 1.5
			p.Add(whisker)
		}
		labels.XYs[i] = plotter.XY{X: place, Y: y}
		labels.Labels[i] = strconv.FormatFloat(end, 'f', 1, 64)
		if end > c.cut(end) {
			labels.Labels[i] += " →"
		}
	}
	written, err := plotter.NewLabels(labels)
	if err != nil {
		return err
	}
	written.Offset = vg.Point{X: 5}
	for i := range written.TextStyle {
		written.TextStyle[i].Font.Size, written.TextStyle[i].YAlign = 11, -0.5
	}
	p.Add(written)
	return nil
}

// named names the bars.
func named(points []point) plot.ConstantTicks {
	ticks := make(plot.ConstantTicks, len(points))
	for i, point := range points {
		ticks[i] = plot.Tick{Value: float64(len(points) - 1 - i), Label: point.Label}
	}
	return ticks
}

// addLines draws lines through the medians, with the quartiles.
func (c chart) addLines(p *plot.Plot) error {
	grid := plotter.NewGrid()
	grid.Vertical.Width, grid.Horizontal.Color = 0, color.NRGBA{grey.R, grey.G, grey.B, 0x60}
	p.Add(grid)
	p.X.Tick.Marker, p.Y.Tick.Marker = c.places(), plot.TickerFunc(short)
	if c.LogX {
		p.X.Scale = plot.LogScale{}
	}
	paints := 0
	for _, s := range c.Series {
		paint, dashes := palette[paints%len(palette)], []vg.Length(nil)
		switch {
		case s.Faint:
			paint, dashes = grey, []vg.Length{4, 3}
		case s.Only == "marks":
			paint = palette[(paints-1)%len(palette)]
		default:
			paints++
		}
		if err := s.add(p, paint, dashes); err != nil {
			return err
		}
	}
	p.Legend.Top, p.Legend.Left = true, true
	if c.LogY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(decades)
		p.Y.Max *= math.Pow(p.Y.Max/p.Y.Min, 0.4)
		return nil
	}
	p.Y.Min = 0
	p.Y.Max *= 1.25 // room for the legend
	return nil
}

// add draws one series: its line, its marks with the quartiles, or both.
func (s series) add(p *plot.Plot, paint color.RGBA, dashes []vg.Length) error {
	line, points, err := plotter.NewLinePoints(medians(s.Points))
	if err != nil {
		return err
	}
	line.Color, line.Width, line.Dashes = paint, 2, dashes
	points.GlyphStyle = draw.GlyphStyle{Color: paint, Radius: 3, Shape: draw.CircleGlyph{}}
	if s.Only == "line" {
		p.Add(line)
		p.Legend.Add(s.Name, line)
		return nil
	}
	bars, err := plotter.NewYErrorBars(quartiles(s.Points))
	if err != nil {
		return err
	}
	bars.Color, bars.CapWidth = paint, 6
	if s.Only == "marks" {
		points.Radius = 4
		p.Add(bars, points)
		p.Legend.Add(s.Name, points)
		return nil
	}
	p.Add(line, bars, points)
	p.Legend.Add(s.Name, line, points)
	return nil
}

// decades are ticks at the powers of ten, the small ones between them without a label.
func decades(least, most float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(least)); power <= math.Log10(most); power++ {
		ten := math.Pow(10, power)
		for n := 1.0; n < 10; n++ {
			tick := plot.Tick{Value: n * ten}
			if n == 1 {
				tick.Label = withCommas(strconv.FormatFloat(ten, 'f', -1, 64))
			}
			if tick.Value >= least*0.999 && tick.Value <= most*1.001 {
				ticks = append(ticks, tick)
			}
		}
	}
	return ticks
}

// short writes the usual ticks without the digits that say nothing.
func short(least, most float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(least, most)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = strconv.FormatFloat(ticks[i].Value, 'f', -1, 64)
		}
	}
	return ticks
}

// withCommas writes a power of ten so that its zeros can be counted.
func withCommas(number string) string {
	if strings.Contains(number, ".") {
		return number
	}
	for i := len(number) - 3; i > 0; i -= 3 {
		number = number[:i] + "," + number[i:]
	}
	return number
}

// places are the abscissas that were measured, or the decades where a line was computed.
func (c chart) places() plot.Ticker {
	var ticks plot.ConstantTicks
	for _, s := range c.Series {
		if s.Only == "line" {
			return plot.TickerFunc(decades)
		}
		for _, point := range s.Points {
			tick := plot.Tick{Value: point.X, Label: strconv.FormatFloat(point.X, 'f', -1, 64)}
			if !slices.Contains(ticks, tick) {
				ticks = append(ticks, tick)
			}
		}
	}
	return ticks
}

func medians(points []point) plotter.XYs {
	list := make(plotter.XYs, len(points))
	for i, point := range points {
		list[i] = plotter.XY{X: point.X, Y: point.Y}
	}
	return list
}

// quartiles is what plotter.NewYErrorBars wants: medians, and how far the quartiles are from them.
func quartiles(points []point) (list struct {
	plotter.XYs
	plotter.YErrors
},
) {
	list.XYs = medians(points)
	for _, point := range points {
		list.YErrors = append(list.YErrors, struct{ Low, High float64 }{point.Y - point.Low, point.High - point.Y})
	}
	return list
}
