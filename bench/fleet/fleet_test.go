//go:build linux

package main

import (
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/testneed"
)

// TestMeasure runs everything once, small: that it measures is tested here, what it measures is for `make fleet`.
func TestMeasure(t *testing.T) {
	t.Parallel()
	testneed.Program(t, "redis-server")
	r, err := measureFleet(t.Context(), options{quick: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		id       string
		requests int
		code     int
	}{
		{"warm", 0, 0}, {"cold", 1, 0}, {"crowd", 1, 0}, {"keys", 3, 0}, {"limit", 1, 0}, {"refused", 1, 4},
	} {
		row := r.row(want.id)
		if row.Requests != want.requests || row.Codes[want.code] != row.Runners || row.Runners == 0 {
			t.Errorf("%s: %d runners, %d requests, codes %v: want %d requests, all %d: %v",
				want.id, row.Runners, row.Requests, row.Codes, want.requests, want.code, row.Said)
		}
		if row.Load == nil || row.Load.Commands["get"] == 0 || row.Load.Received == 0 {
			t.Errorf("%s: the engine was asked %+v", want.id, row.Load)
		}
	}
	for _, row := range r.Rows {
		if row.ID == "gone" && (row.Codes[0] != row.Runners || row.Warned != row.Runners || row.Requests != row.Runners) {
			t.Errorf("%s: %d runners, %d requests, codes %v, %d warned: %v",
				row.Name, row.Runners, row.Requests, row.Codes, row.Warned, row.Said)
		}
	}
	k := kept{fleet: *r, soft: report{Rows: []row{{
		ID: "soft", Store: "redis", Runners: 20, Requests: 2, Latency: time.Second,
		Lifetime: 20 * time.Second, Took: time.Minute, Load: &load{},
	}}}}
	if text, err := k.charts(); err != nil || strings.Count(text, `"File"`) != 5 {
		t.Errorf("the charts: %v: %s", err, text)
	}
	if restart := r.row("restart"); restart.Codes[0] != restart.Runners || restart.Load.total() == 0 {
		t.Errorf("restart: codes %v, load %+v: %v", restart.Codes, restart.Load, restart.Said)
	}
}

// TestMeasureSoft: a stream in which nobody fails, and more runners are served than ask.
func TestMeasureSoft(t *testing.T) {
	t.Parallel()
	testneed.Program(t, "redis-server")
	r, err := measureSoft(t.Context(), options{quick: true, stores: []string{"redis"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 3 {
		t.Fatalf("%d rows, want 3", len(r.Rows))
	}
	for _, row := range r.Rows {
		if row.Codes[0] != row.Runners || row.Requests == 0 || row.Requests > row.Runners/4 {
			t.Errorf("%s: %d runners, %d requests, codes %v: %v", row.Name, row.Runners, row.Requests, row.Codes, row.Said)
		}
	}
}

// TestPages: what is committed is what the committed results make. The pictures are held against them by
// scripts/check-generated, since tools/plot is a module of its own.
func TestPages(t *testing.T) {
	t.Parallel()
	root := testneed.Root(t)
	k, err := readKept(filepath.Join(root, "bench", "fleet", "results"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := k.page(filepath.Join(root, "docs", "fleets.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"docs/fleets.md": page, "bench/fleet/RESULTS.md": k.markdown()} {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != want {
			t.Errorf("%s is not what bench/fleet/results makes: run make fleet-results", name)
		}
	}
}

// TestModel: the ends that anybody can compute.
func TestModel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what       string
		says, want float64
	}{
		{"few runners all ask", fleet{1, 300, 0.3}.requests(), 1},
		{"many ask once in two thirds of a life", fleet{1e9, 300, 0}.requests(), 18},
		{"an hour's tokens", fleet{1e6, 3600, 0.3}.requests(), 1.5},
		{"nobody waits for another's request while many come", fleet{1e6, 300, 0.3}.waits(), 0},
	} {
		if math.Abs(tt.says-tt.want) > 0.06*math.Max(1, tt.want) {
			t.Errorf("%s: %v, want %v", tt.what, tt.says, tt.want)
		}
	}
	m := model{found: spread{P50: 1e6, P90: 2e6, P99: 3e6, Most: 4e6}, asking: 0.01, warm: share{commands: 4}}
	if got := m.wait(fleet{1e6, 300, 0.3}, 0.99); got < 0.0029 || got > 0.0031 {
		t.Errorf("p99 of many is %v s, want that of who finds a token", got)
	}
	if got := m.wait(fleet{1, 300, 0.3}, 0.5); got != 0.31 {
		t.Errorf("the median of few is %v s, want the service's", got)
	}
	if got := m.load(fleet{3.6e6, 300, 0}).commands; math.Abs(got-4000) > 1 {
		t.Errorf("%v commands a second, want 4000", got)
	}
}

// TestGate: open it passes on, shut it refuses, mute it says nothing until it is opened again.
func TestGate(t *testing.T) {
	t.Parallel()
	service, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	go func() {
		for {
			conn, err := service.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("hello"))
			_ = conn.Close()
		}
	}()
	g, err := newGate(service.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer g.close() //nolint:errcheck // it may be shut
	for _, step := range []struct {
		name  string
		do    func() error
		heard string
	}{{"open", g.open, "hello"}, {"shut", g.refuse, "refused"}, {"open again", g.open, "hello"}, {"mute", g.hang, "nothing"}} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := listen(g.address); got != step.heard {
			t.Errorf("%s: %q, want %q", step.name, got, step.heard)
		}
	}
}

// listen is what somebody hears who comes to an address and waits a little.
func listen(address string) string {
	conn, err := net.Dial("tcp", address) //nolint:noctx // what it hears is bounded
	if err != nil {
		return "refused"
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	text := make([]byte, 5)
	if n, _ := conn.Read(text); n > 0 {
		return string(text[:n])
	}
	return "nothing"
}

func TestFirstLine(t *testing.T) {
	t.Parallel()
	if got := firstLine("authctl: warning: 127.0.0.1:7 is away for 3s\nmore"); got != "authctl: warning: … is away for …" {
		t.Errorf("it is %q", got)
	}
}

func TestPageWithoutItsTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte("<!-- table: none -->\n<!-- end -->\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (kept{}).page(path); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a table that nobody makes: %v", err)
	}
}
