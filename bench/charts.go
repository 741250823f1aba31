//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

const milliseconds = "milliseconds: median and quartiles"

// charts is what the pictures of some runs show, which are taken together, as JSON.
func charts(reports []report) (string, error) {
	runs := together(reports)
	warm := runs["warm"]
	return lab.Plot(warmChart(warm), partsChart(runs["start"], warm), profilesChart(runs["profiles"]),
		crowdChart(runs["crowd"]), sizesChart(runs["sizes"]))
}

// together joins the measurements of several runs, by group and row. What one run lacks others may have.
func together(reports []report) map[string]*group {
	all := map[string]*group{}
	for _, r := range reports {
		for _, g := range r.Groups {
			if all[g.ID] == nil {
				all[g.ID] = &group{ID: g.ID, Title: g.Title}
			}
			all[g.ID].join(g.Rows)
		}
	}
	return all
}

func (g *group) join(rows []row) {
	for _, more := range rows {
		i := slices.IndexFunc(g.Rows, func(r row) bool { return r.Name == more.Name })
		if i < 0 {
			g.Rows = append(g.Rows, row{Name: more.Name, Note: more.Note, Size: more.Size})
			i = len(g.Rows) - 1
		}
		g.Rows[i].Times = append(g.Rows[i].Times, more.Times...)
	}
}

// point is a row in a picture.
func (r row) point() lab.Point {
	return lab.Point{
		X: float64(r.Size), Label: r.Name, Faint: !strings.HasPrefix(r.Name, "authctl"),
		Y:   lab.InMS(lab.Median(r.Times)),
		Low: lab.InMS(lab.Quantile(r.Times, 0.25)), High: lab.InMS(lab.Quantile(r.Times, 0.75)),
	}
}

// warmChart has a bar for each program, the quickest first. The scale ends a little behind secret-tool, since the
// slowest would make all others look alike.
func warmChart(g *group) lab.Chart {
	var points []lab.Point
	for _, r := range g.Rows {
		p := r.point()
		if r.Note != "" {
			p.Label += ", " + r.Note
		}
		p.Label, _, _ = strings.Cut(p.Label, ": ")
		points = append(points, p)
	}
	slices.SortFunc(points, func(a, b lab.Point) int { return int(a.Y*1000) - int(b.Y*1000) })
	c := lab.Chart{
		File: "warm.svg", Kind: "bars", Title: "One token that is kept, handed out once", X: milliseconds,
		Series: []lab.Series{{Points: points}},
	}
	if lookup, ok := g.row(secretTool); ok {
		c.Most = 2.5 * lab.InMS(lab.Median(lookup.Times))
	}
	return c
}

// partsChart tells of what a warm call consists, by the differences of medians.
func partsChart(start, warm *group) lab.Chart {
	c := lab.Chart{
		File: "parts.svg", Kind: "bars", Title: "Where the time of a kept token goes",
		X: "milliseconds: differences of medians",
		Series: []lab.Series{
			{Name: "any Go program"},
			{Name: "this program starts"},
			{Name: "the profile and the record are read"},
			{Name: "the bus and the keyring answer"},
		},
	}
	for _, r := range warm.Rows {
		from := 0.0
		for i, until := range parts(r, start, warm) {
			length := max(0, lab.InMS(until)-from)
			c.Series[i].Points = append(c.Series[i].Points, lab.Point{Label: r.Name, Y: length, Low: length, High: length})
			from += length
		}
	}
	return c
}

// parts are the times at which the parts of a row end; nothing for a row that is not told of. With the keyring a call
// does what it does with a file, and asks the bus in addition; the floor does nothing but to ask.
func parts(r row, start, warm *group) []time.Duration {
	empty, _ := start.row(emptyName)
	version, _ := start.row(versionName)
	file, _ := warm.row(warmName("file"))
	first, second, whole := lab.Median(empty.Times), lab.Median(version.Times), lab.Median(r.Times)
	switch r.Name {
	case floorName:
		return []time.Duration{first, first, first, whole}
	case warmName("keyring"):
		return []time.Duration{first, second, lab.Median(file.Times), whole}
	case warmName("kernel"), file.Name:
		return []time.Duration{first, second, whole, whole}
	}
	return nil
}

func profilesChart(g *group) lab.Chart {
	c := lab.Chart{
		File: "profiles.svg", Kind: "lines", LogX: true, Title: "A kept token, by the number of profiles",
		X: "profiles in the configuration", Y: milliseconds, Series: []lab.Series{{Name: "written out"}},
	}
	for _, r := range g.Rows {
		if _, how, ok := strings.Cut(r.Name, " extending "); ok {
			p := r.point()
			c.Series = append(c.Series, lab.Series{Name: "extending " + how, Points: []lab.Point{p}})
			continue
		}
		c.Series[0].Points = append(c.Series[0].Points, r.point())
	}
	return c
}

// crowdChart has the target as a line: the answer of the service, and what starting the processes costs.
func crowdChart(g *group) lab.Chart {
	c := lab.Chart{
		File: "crowd.svg", Kind: "lines", LogX: true,
		Title: "Processes at once, nothing kept: one request, 300 ms at the service",
		X:     "processes started at once", Y: "milliseconds until the last is done",
	}
	target := lab.Series{Name: fmt.Sprintf("300 ms + %v × authctl version", crowdStarts), Faint: true}
	for _, r := range g.Rows {
		_, name, _ := strings.Cut(r.Name, " × ")
		p := r.point()
		if name == versionName {
			p.Y = lab.InMS(crowdDelay) + crowdStarts*p.Y
			p.Low, p.High = p.Y, p.Y
			target.Points = append(target.Points, p)
			continue
		}
		add(&c, name, p)
	}
	c.Series = append(c.Series, target)
	return c
}

func sizesChart(g *group) lab.Chart {
	c := lab.Chart{
		File: "sizes.svg", Kind: "lines", LogX: true, Title: "A kept token, by its size",
		X: "size of the token in KiB", Y: milliseconds,
	}
	for _, r := range g.Rows {
		p := r.point()
		p.X /= 1 << 10
		add(&c, r.Name[:strings.LastIndex(r.Name, ", ")], p)
	}
	return c
}

// add adds a point to the line of a name in a chart.
func add(c *lab.Chart, name string, p lab.Point) {
	i := slices.IndexFunc(c.Series, func(s lab.Series) bool { return s.Name == name })
	if i < 0 {
		c.Series = append(c.Series, lab.Series{Name: name})
		i = len(c.Series) - 1
	}
	c.Series[i].Points = append(c.Series[i].Points, p)
}
