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

// ShowQRCode writes a text to stderr as a QR code, black on white whatever colours the terminal
// has. Nothing is written where it cannot show one: there is no terminal, no colour, no UTF-8, or
// too little room for it, for what stands above it and has to be seen with it, and for a line more.
func (u *UI) ShowQRCode(text string, above ...string) {
	if u.Quiet || !u.ErrTerminal || !bool(u.Err) || !u.isUTF8() {
		return
	}
	lines := QRCode(text)
	width, height := dimensions(u.Streams.Err)
	if lines == nil || u.errWidth(u.LookupEnv) < displayWidth(lines[0]) || height < len(lines)+rows(above, width)+1 {
		return
	}
	ink := ansi.New(ansi.FgBlack, ansi.BgWhite)
	ink.EnableColor()
	for i, line := range lines {
		lines[i] = ink.Sprint(line) + "\n"
	}
	_, _ = u.Streams.Err.Write([]byte(strings.Join(lines, "")))
}

// rows are how many lines of a terminal texts take.
func rows(texts []string, width int) (n int) {
	for _, text := range texts {
		for line := range strings.SplitSeq(Message(text, width), "\n") {
			n += 1 + max(displayWidth(line)-1, 0)/max(width, 1)
		}
	}
	return n
}

// QRCode draws a text as a QR code with its quiet zone, two modules a character: what is printed
// is dark, what is blank light. It is nil for a text that is too long.
func QRCode(text string) []string {
	code, err := qr.Encode(text, qr.L, qr.Unicode)
	if err != nil {
		return nil
	}
	size := code.Bounds().Dx()
	dark := func(x, y int) bool { return x >= 0 && y >= 0 && x < size && y < size && code.At(x, y) == color.Black }
	var lines []string
	for y := -quietZone; y < size+quietZone; y += 2 {
		var line strings.Builder
		for x := -quietZone; x < size+quietZone; x++ {
			line.WriteString(halves(dark(x, y), dark(x, y+1)))
		}
		lines = append(lines, line.String())
	}
	return lines
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

// isUTF8 reports whether the locale's characters are UTF-8's. A console of Windows has no locale,
// and shows all characters.
func (u *UI) isUTF8() bool {
	value := strings.ToLower(u.locale())
	return runtime.GOOS == "windows" || strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
}

// locale is the one of characters (POSIX, XBD §8.2), empty where no variable says.
func (u *UI) locale() string {
	if u.LookupEnv == nil {
		return ""
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value, _ := u.LookupEnv(name); value != "" {
			return value
		}
	}
	return ""
}

// Arrow points at what to do. It is of ASCII where the locale says that its characters are not
// UTF-8's.
func (u *UI) Arrow() string {
	if u.locale() != "" && !u.isUTF8() {
		return "->"
	}
	return "→"
}
