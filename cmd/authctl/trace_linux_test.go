package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
)

// record reads a record of requests, which must be a whole one that shows no secret.
func (p *place) record(path string) *recorded {
	p.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(text, &r); err != nil || r.Log.Version != "1.2" {
		p.t.Fatalf("no HAR: %v: %s", err, text)
	}
	if problem := readByOthers(path); problem != "" {
		p.t.Error(problem)
	}
	p.wantSilent(string(text))
	return &r
}

// TestTraceOfAnInterruptedCommand is whole, and tells of the request that was not answered; that of a killed one is whole, too.
func TestTraceOfAnInterruptedCommand(t *testing.T) {
	t.Parallel()
	for signal, want := range map[syscall.Signal][]string{
		syscall.SIGTERM: {"POST /oauth/token 0", "POST /oauth/token 503"},
		syscall.SIGKILL: {"POST /oauth/token 503"},
	} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			p.fault(sandbox.Fault{Service: "talkdesk", Status: 503, Times: 1})
			p.fault(sandbox.Fault{Service: "talkdesk", DelayMS: 600_000})
			path := filepath.Join(p.dir, "ended.har")
			x := p.start("token", "get", "talkdesk", "--timeout", "10m", "--trace", path)
			p.awaitRequests(2)
			if err := x.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if o := x.end(); o.code == 0 || o.stdout != "" {
				t.Errorf("exit code %d, %d bytes on stdout", o.code, len(o.stdout))
			}
			r := p.record(path)
			got, err := r.lines()
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("recorded %v, %v; want %v", got, err, want)
			}
			if last := r.Log.Entries[len(r.Log.Entries)-1].Response; signal == syscall.SIGTERM && !strings.Contains(last.Error, "signal") {
				t.Errorf("the last one ended with %q", last.Error)
			}
		})
	}
}

// TestTraceOfADeviceLogin has neither the device's code nor the person's in it.
func TestTraceOfADeviceLogin(t *testing.T) {
	t.Parallel()
	p := devicePlace(t)
	path := filepath.Join(p.dir, "device.har")
	x, log := p.logged("--trace", path)
	p.decide(log(), true)
	p.hidden = append(p.hidden, userCode.FindStringSubmatch(log())[1])
	if o := x.end(); o.code != 0 {
		t.Fatalf("exit code %d, %q", o.code, log())
	}
	got, err := p.record(path).lines()
	if err != nil || !slices.Contains(got, "POST "+deviceAskPath+" 200") || !slices.Contains(got, "POST "+oauth2TokenPath+" 200") {
		t.Errorf("recorded %v, %v", got, err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), `"name":"device_code","value":"secret:`) || !strings.Contains(string(text), `\"user_code\":\"secret:`) {
		t.Errorf("the codes have no fingerprints: %v", err)
	}
}
