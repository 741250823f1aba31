package term_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/term"
	"github.com/google/go-cmp/cmp"
)

// long is a table with all that is hard to fit: long words, long text, empty cells.
func long() term.Table {
	return term.Table{
		Header: []string{"SCOPE", "ACCESS", "API", "WHAT IT OPENS"},
		Rows: [][]string{
			{
				"guardian-users:read", "read", "Guardian Users API", "provides all the information Guardian has about the " +
					"users of an account - name, role, ring groups, creation place, user activation and status",
			},
			{"identity-phone-validation:read", "read", "Phone Validation API", ""},
			{
				"com.qmatic.saas.appointments/external.appointment.reschedule", "write", "Cloud Appointments API",
				"Grants access to reschedule an appointment",
			},
			{"*", "", "", `{"roles":["default-roles-acme","offline_access"],"at":"http://127.0.0.1:8080/realms/acme"}`},
		},
	}
}

// TestTableWidths compares with testdata/table-WIDTH.txt; UPDATE_GOLDEN=1 writes them.
func TestTableWidths(t *testing.T) {
	t.Parallel()
	for _, width := range []int{0, 40, 120, 250} {
		table := long()
		table.Width = width
		got := table.String()
		golden := filepath.Join("testdata", fmt.Sprintf("table-%d.txt", width))
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("width %d:\n%s", width, diff)
		}
	}
}

// TestTableFits tries every width: no line is longer, none ends in a space, and nothing
// but spaces is lost.
func TestTableFits(t *testing.T) {
	t.Parallel()
	for width := 1; width <= 260; width++ {
		table := long()
		table.Width = width
		got := table.String()
		for line := range strings.Lines(got) {
			line = strings.TrimSuffix(line, "\n")
			if n := len([]rune(line)); n > max(width, 20) || strings.HasSuffix(line, " ") {
				t.Fatalf("width %d: a line of %d columns: %q", width, n, line)
			}
		}
		for _, row := range table.Rows {
			for _, cell := range row {
				if !sameLetters(got, cell) {
					t.Fatalf("width %d: %q is not all there:\n%s", width, cell, got)
				}
			}
		}
	}
}

// sameLetters reports whether every letter of a cell comes in the text at least as often
// as in the cell.
func sameLetters(text, cell string) bool {
	for _, r := range cell {
		if r != ' ' && strings.Count(text, string(r)) < strings.Count(cell, string(r)) {
			return false
		}
	}
	return true
}

// Paint is asked for every cell with its padding, in blocks for every line of it.
func TestTablePaints(t *testing.T) {
	t.Parallel()
	table := term.Table{
		Header: []string{"NAME", "MEANING"},
		Rows:   [][]string{{"account", "the host's first label"}, {"x", ""}},
		Paint:  func(row, column int, cell string) string { return fmt.Sprintf("<%d.%d %s>", row, column, cell) },
	}
	for width, want := range map[int]string{
		31: "<-1.0 NAME     ><-1.1 MEANING>\n<0.0 account  ><0.1 the host's first label>\n<1.0 x>\n",
		30: "<-1.0 NAME     ><0.0 account>\n<-1.1 MEANING  ><0.1 the host's first>\n<-1.1          ><0.1 label>\n" +
			"\n<-1.0 NAME     ><1.0 x>\n",
	} {
		table.Width = width
		if diff := cmp.Diff(want, table.String()); diff != "" {
			t.Errorf("width %d:\n%s", width, diff)
		}
	}
}

func TestTableOfWideRunes(t *testing.T) {
	t.Parallel()
	table := term.Table{
		Header: []string{"NAME", "NOTE"},
		Rows:   [][]string{{"予約", "x"}, {"cafe\u0301", "y"}},
		Width:  20,
	}
	if diff := cmp.Diff("NAME  NOTE\n予約  x\ncafe\u0301  y\n", table.String()); diff != "" {
		t.Error(diff)
	}
	table.Rows = [][]string{{"abcd", "予約の変更と取り消しを許可する"}}
	want := "NAME  abcd\nNOTE  予約の変更と取\n      り消しを許可す\n      る\n"
	if diff := cmp.Diff(want, table.String()); diff != "" {
		t.Error(diff)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"as  it is", 0, []string{"as  it is"}},
		{"as  it is", 9, []string{"as  it is"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one  two   three", 7, []string{"one two", "three"}},
		{"engage:appointments:readOnly", 20, []string{"engage:appointments:", "readOnly"}},
		{"com.qmatic.saas.appointments/external.appointment.book", 40, []string{
			"com.qmatic.saas.appointments/", "external.appointment.book",
		}},
		{"see abcdefghij", 6, []string{"see", "abcdef", "ghij"}},
		{"a/b-cdefgh", 6, []string{"a/b-", "cdefgh"}},
		{"予約の変更", 5, []string{"予約", "の変", "更"}},
		{"予", 1, []string{"予"}},
		{"e\u0301e\u0301e\u0301", 2, []string{"e\u0301e\u0301", "e\u0301"}},
	} {
		if diff := cmp.Diff(c.want, term.Wrap(c.text, c.width)); diff != "" {
			t.Errorf("%q at %d:\n%s", c.text, c.width, diff)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("the port of http://127.0.0.1:PORT/callback", 12)
	f.Add("予約 e\u0301 \u200d", 1)
	f.Add("\xff \x00", 3)
	f.Fuzz(func(t *testing.T, text string, width int) {
		lines := term.Wrap(text, width)
		var got strings.Builder
		for _, line := range lines {
			got.WriteString(strings.Join(strings.Fields(line), ""))
		}
		if got.String() != strings.Join(strings.Fields(text), "") {
			t.Errorf("%q at %d becomes %q", text, width, lines)
		}
		for _, line := range lines {
			if width >= 2 && len([]rune(line)) > width && len(term.Wrap(line, width)) != 1 {
				t.Errorf("%q at %d: %q is too long", text, width, line)
			}
		}
	})
}

func TestStreamsWidth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		terminal bool
		columns  string
		want     int
	}{
		{true, "100", 100},
		{true, "0", 0},
		{true, "wide", 0},
		{true, "", 0}, // what is written to has no size
		{false, "100", 0},
	} {
		s := term.Streams{Out: &strings.Builder{}, OutTerminal: c.terminal}
		if got := s.Width(lookup(map[string]string{"COLUMNS": c.columns})); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
