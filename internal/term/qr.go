package term

import (
	"image/color"
	"runtime"
	"strings"

	"github.com/boombuler/barcode/qr"
	ansi "github.com/fatih/color"
)

// quietZone is how many light modules a QR code has around it (ISO/IEC 18004 §5.3.8).
const quietZone = 4

// QRCode draws a text as a QR code for the terminal at stderr, two modules a character, black on
// white whatever colours the terminal has. It is empty where that cannot show one: there is no
// terminal, no colour, no UTF-8, or too little room.
func (u *UI) QRCode(text string) string {
	if !u.ErrTerminal || !bool(u.Err) || !u.unicode() {
		return ""
	}
	code, err := qr.Encode(text, qr.L, qr.Unicode)
	if err != nil {
		return ""
	}
	size := code.Bounds().Dx()
	dark := func(x, y int) bool {
		x, y = x-quietZone, y-quietZone
		return x >= 0 && y >= 0 && x < size && y < size && code.At(x, y) == color.Black
	}
	return u.drawn(size+2*quietZone, dark)
}

// drawn draws a square of modules, empty where the terminal at stderr is too small for it and the
// line below.
func (u *UI) drawn(size int, dark func(x, y int) bool) string {
	if _, height := dimensions(u.Streams.Err); height <= (size+1)/2 || u.errWidth(u.LookupEnv) < size {
		return ""
	}
	ink := ansi.New(ansi.FgBlack, ansi.BgWhite)
	ink.EnableColor()
	var b strings.Builder
	for y := 0; y < size; y += 2 {
		var line strings.Builder
		for x := range size {
			line.WriteString(halves(dark(x, y), dark(x, y+1)))
		}
		b.WriteString(ink.Sprint(line.String()) + "\n")
	}
	return b.String()
}

// halves is a character of two modules, one above the other.
func halves(upper, lower bool) string {
	switch {
	case upper && lower:
		return "█"
	case upper:
		return "▀"
	case lower:
		return "▄"
	}
	return " "
}

// unicode reports whether the locale's characters are UTF-8's (POSIX, XBD §8.2). A console of
// Windows has no locale, and shows all characters.
func (u *UI) unicode() bool {
	if runtime.GOOS == "windows" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value, _ := u.LookupEnv(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
