package term

import (
	"fmt"

	"github.com/fatih/color"
)

// ColorMode is the value of --color.
type ColorMode string

// The colour modes.
const (
	ColorAuto   ColorMode = "auto"
	ColorAlways ColorMode = "always"
	ColorNever  ColorMode = "never"
)

// ParseColorMode returns the mode named s; the error names the allowed ones.
func ParseColorMode(s string) (ColorMode, error) {
	switch m := ColorMode(s); m {
	case ColorAuto, ColorAlways, ColorNever:
		return m, nil
	}
	return "", fmt.Errorf("%q is not one of auto, always, never", s)
}

// Enabled decides for one stream: the mode first, then NO_COLOR
// (https://no-color.org) and CLICOLOR_FORCE, then whether it is a terminal that
// is not dumb. fatih/color looks at stdout alone and is not asked.
func (m ColorMode) Enabled(terminal bool, lookupEnv func(string) (string, bool)) bool {
	set := func(name string) bool { v, _ := lookupEnv(name); return v != "" }
	force, _ := lookupEnv("CLICOLOR_FORCE")
	dumb, _ := lookupEnv("TERM")
	switch {
	case m == ColorAlways:
		return true
	case m == ColorNever, set("NO_COLOR"):
		return false
	case force != "" && force != "0":
		return true
	}
	return terminal && dumb != "dumb"
}

// Palette colours text for one stream, where it is true.
type Palette bool

// Strong is for headings.
func (p Palette) Strong(s string) string { return p.paint(s, color.Bold) }

// Faint is for what matters less.
func (p Palette) Faint(s string) string { return p.paint(s, color.Faint) }

// Bad is for errors.
func (p Palette) Bad(s string) string { return p.paint(s, color.FgRed, color.Bold) }

// Notice is for warnings and hints.
func (p Palette) Notice(s string) string { return p.paint(s, color.FgYellow) }

func (p Palette) paint(s string, attributes ...color.Attribute) string {
	if !p || s == "" {
		return s
	}
	c := color.New(attributes...)
	c.EnableColor()
	return c.Sprint(s)
}
