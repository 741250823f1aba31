package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/google/go-cmp/cmp"
)

// probed is what `scopes probe -o json` prints.
type probed struct {
	Requests int
	Scopes   []struct {
		Scope   string
		Granted bool
		Access  string
	}
}

func (p probed) granted() []string {
	list := []string{}
	for _, s := range p.Scopes {
		if s.Granted {
			list = append(list, s.Scope)
		}
	}
	return list
}

// probe runs a probe and returns what it found and how many requests the sandbox saw.
func (p *place) probe(args ...string) (probed, int) {
	p.t.Helper()
	before := p.asked()
	o := p.run(append([]string{"scopes", "probe", "-o", "json"}, args...)...)
	var found probed
	if err := json.Unmarshal([]byte(o.stdout), &found); err != nil || o.code != 0 || o.stderr != "" {
		p.t.Fatalf("probe: exit code %d, %v, stderr %q", o.code, err, o.stderr)
	}
	return found, p.asked() - before
}

// catalogue are the scopes of a service and of a kind of access, in the page's order, all for an empty access.
func (p *place) catalogue(profile, access string) []string {
	p.t.Helper()
	found, _ := p.probe(profile)
	var names []string
	for _, s := range found.Scopes {
		if access == "" || s.Access == access {
			names = append(names, s.Scope)
		}
	}
	return names
}

// scattered takes n of the names from all over the list. The step has no factor in common with the lengths of the
// catalogues.
func scattered(names []string, n int) []string {
	list := []string{}
	for i := range n {
		list = append(list, names[(3+7*i)%len(names)])
	}
	return list
}

// TestProbeAsksLittle measures how many requests it takes to find what a client has, against a service that refuses
// a request with one scope too many, against one that leaves it out of the reply, and beside asking one by one. What
// it measures is written down in testdata/probe_requests.txt, for the documentation to quote.
func TestProbeAsksLittle(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	all := p.catalogue("pexip", "")
	if len(all) != 36 {
		t.Fatalf("the sandbox's client has %d scopes of Pexip, want all 36", len(all))
	}
	together := append(p.catalogue("pexip", "read"), p.catalogue("pexip", "write")...)
	table := "GRANTED  SCATTERED      READING FIRST  NARROWING      ONE BY ONE\n"
	for _, n := range []int{0, 1, 5, 18, 35, 36} {
		row := fmt.Sprintf("%-7d", n)
		for _, how := range []struct {
			client []string
			narrow bool
		}{{scattered(all, n), false}, {together[:n], false}, {scattered(all, n), true}} {
			p.fault(sandbox.Fault{Service: "pexip", ClientScopes: how.client, Narrow: how.narrow})
			row += fmt.Sprintf("  %-13d", p.wantExactly("pexip", how.client))
			p.server.ClearFaults()
		}
		table += strings.TrimRight(row+fmt.Sprintf("  %d", len(all)), " ") + "\n"
	}
	t.Logf("requests of scopes probe, 36 scopes:\n%s", table)
	golden(t, "probe_requests.txt", table)
}

// wantExactly requires that a probe finds these and no others, and returns how many requests it took.
func (p *place) wantExactly(profile string, client []string, args ...string) int {
	p.t.Helper()
	found, requests := p.probe(append([]string{profile}, args...)...)
	got, want := found.granted(), slices.Clone(client)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Errorf("%d granted, found (+):\n%s", len(client), diff)
	}
	if found.Requests != requests {
		p.t.Errorf("it says %d requests, the sandbox saw %d", found.Requests, requests)
	}
	return requests
}

// golden requires that a text is what a file of testdata says.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_SCRIPTS") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s (-file +now), UPDATE_SCRIPTS=1 writes it anew:\n%s", path, diff)
	}
}

// TestProbeOfTheOthers has clients of the services that list, pace, or know one scope.
func TestProbeOfTheOthers(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore() // Its locks pace the requests of several processes.
	talkdesk := p.catalogue("talkdesk", "")
	for _, n := range []int{1, 17, 34} {
		p.fault(sandbox.Fault{Service: "talkdesk", ClientScopes: scattered(talkdesk, n)})
		if requests := p.wantExactly("talkdesk", scattered(talkdesk, n)); requests != 1 || len(talkdesk) != 34 {
			t.Errorf("Talkdesk with %d of %d: %d requests, want 1", n, len(talkdesk), requests)
		}
		p.server.ClearFaults()
	}
	qmatic := p.catalogue("qmatic", "")
	p.fault(sandbox.Fault{Service: "qmatic", ClientScopes: qmatic[1:2]})
	if requests := p.wantExactly("qmatic", qmatic[1:2]); requests > len(qmatic)+1 {
		t.Errorf("Qmatic: %d requests, want one more than one by one takes at most", requests)
	}
	for _, r := range p.server.Requests() {
		if r.Service == "qmatic" && r.Status == 429 {
			t.Errorf("Qmatic was asked too soon")
		}
	}
	p.server.ClearFaults()
	if requests := p.wantExactly("genesys", []string{"*"}); requests != 1 {
		t.Errorf("Genesys: %d requests, want 1", requests)
	}
}
