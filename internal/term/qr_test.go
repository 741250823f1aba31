package term_test

import (
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/term"
)

// TestQRCode looks for what a reader looks for (ISO/IEC 18004 §5.3): a square of a version's size,
// four light modules around it, and the three finder patterns.
func TestQRCode(t *testing.T) {
	t.Parallel()
	for text, version := range map[string]int{
		"https://id.example": 2, "https://id.example/device?user_code=WDJB-MJHT": 3, strings.Repeat("a", 2048): 33,
	} {
		lines := term.QRCode(text)
		modules := modulesOf(lines)
		size, quiet := 17+4*version, 4
		if len(lines) != (size+2*quiet+1)/2 {
			t.Fatalf("%d lines for version %d", len(lines), version)
		}
		for y, row := range modules {
			if len(row) != size+2*quiet {
				t.Fatalf("row %d has %d modules", y, len(row))
			}
			for x, dark := range row {
				inside := x >= quiet && y >= quiet && x < quiet+size && y < quiet+size
				if dark && !inside {
					t.Errorf("module %d,%d of the quiet zone is dark", x, y)
				}
			}
		}
		for _, at := range [][2]int{{0, 0}, {size - 7, 0}, {0, size - 7}} {
			for y := range 7 {
				for x := range 7 {
					ring := max(max(x, 6-x), max(y, 6-y)) // from the middle: 3 and 4 dark, 5 light, 6 dark
					if got := modules[quiet+at[1]+y][quiet+at[0]+x]; got != (ring != 5) {
						t.Errorf("module %d,%d of the finder pattern at %v is %v", x, y, at, got)
					}
				}
			}
		}
	}
	if term.QRCode(strings.Repeat("a", 3000)) != nil {
		t.Error("no version holds 3,000 bytes")
	}
}

// modulesOf reads half blocks back into rows of modules.
func modulesOf(lines []string) (rows [][]bool) {
	for _, line := range lines {
		var upper, lower []bool
		for _, r := range line {
			upper, lower = append(upper, r == '█' || r == '▀'), append(lower, r == '█' || r == '▄')
		}
		rows = append(rows, upper, lower)
	}
	return rows
}
