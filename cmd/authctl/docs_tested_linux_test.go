package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testedPage has the tables of what TestOAuth2ServersNotWrittenHere does.
var testedPage = filepath.Join(root, "docs", "oauth2-tested.md")

const tablesBegin, tablesEnd = "<!-- tables: written by a test -->\n", "<!-- end of the tables -->\n"

// TestTestedPage holds the tables of docs/oauth2-tested.md against what is tested; UPDATE_SCRIPTS=1 writes them anew.
func TestTestedPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(testedPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), tablesBegin)
	_, after, ok := strings.Cut(rest, tablesEnd)
	if !ok {
		t.Fatalf("no tables in %s", testedPage)
	}
	want := before + tablesBegin + "\n" + meetingsTable(t) + "\n" + operationsTable() + "\n" + tablesEnd + after
	if string(text) == want {
		return
	}
	if os.Getenv("UPDATE_SCRIPTS") == "" {
		t.Fatalf("%s does not say what is tested; UPDATE_SCRIPTS=1 writes its tables", testedPage)
	}
	if err := os.WriteFile(testedPage, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

// meetingsTable has a row for each grant and client authentication, and a column for each server.
func meetingsTable(t *testing.T) string {
	t.Helper()
	servers := serversAbroad()
	cells, rows, head := map[string]string{}, [][2]string{}, []string{"grant", "client authentication"}
	for _, server := range servers {
		head = append(head, strings.TrimSpace(server.name+" "+server.versionOf(t)))
		for _, m := range server.meetings {
			row := [2]string{m.grant, m.auth}
			if !slices.Contains(rows, row) {
				rows = append(rows, row)
			}
			if key := server.name + m.grant + m.auth; cells[key] == "" {
				cells[key] = m.cell()
			}
		}
	}
	slices.SortFunc(rows, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var b strings.Builder
	tableHead(&b, head)
	for _, row := range rows {
		line := []string{"`" + row[0] + "`", "`" + row[1] + "`"}
		for _, server := range servers {
			line = append(line, orDash(cells[server.name+row[0]+row[1]]))
		}
		tableRow(&b, line)
	}
	return b.String()
}

// cell is what was shown of a meeting.
func (m meeting) cell() string {
	text := "C"
	switch {
	case m.refreshes:
		text += " R"
	case m.person():
		text += " L"
	default:
		text += " N"
	}
	if m.wrong != "" {
		text += fmt.Sprintf(" %d", m.refusal())
	}
	if m.unknown != "" {
		text += " 5"
	}
	return text
}

// operationsTable has a row for each command, and how it ends at each server.
func operationsTable() string {
	servers := serversAbroad()
	cells, rows, head := map[string]string{}, []string{}, []string{"command"}
	for _, server := range servers {
		head = append(head, server.name)
		for _, m := range server.meetings {
			for _, o := range m.operations {
				command, _, _ := strings.Cut(o.args, " {}")
				if !slices.Contains(rows, command) {
					rows = append(rows, command)
				}
				if key := server.name + command; o.code == 0 {
					cells[key] = "done"
				} else if cells[key] == "" {
					cells[key] = fmt.Sprintf("exit code %d", o.code)
				}
			}
		}
	}
	slices.Sort(rows)
	var b strings.Builder
	tableHead(&b, head)
	for _, command := range rows {
		line := []string{"`authctl " + command + "`"}
		for _, server := range servers {
			line = append(line, orDash(cells[server.name+command]))
		}
		tableRow(&b, line)
	}
	return b.String()
}

func tableHead(b *strings.Builder, names []string) {
	tableRow(b, names)
	fmt.Fprintln(b, "|"+strings.Repeat("---|", len(names)))
}

func tableRow(b *strings.Builder, cells []string) {
	fmt.Fprintln(b, "| "+strings.Join(cells, " | ")+" |")
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// versionOf reads the pinned version.
func (s serverAbroad) versionOf(t *testing.T) string {
	t.Helper()
	if s.version[0] == "" {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(root, "test", filepath.FromSlash(s.version[0])))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), s.version[1])
	if !ok {
		t.Fatalf("%s has no %s", s.version[0], s.version[1])
	}
	return rest[:strings.IndexAny(rest, "\"\n /")]
}
