package openid

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
)

// memoryCache stands for files between processes.
type memoryCache map[string][]byte

func (c memoryCache) Get(_ context.Context, name string) ([]byte, error) { return c[name], nil }

func (c memoryCache) Put(_ context.Context, name string, text []byte) error {
	c[name] = text
	return nil
}

func (c memoryCache) Lock(context.Context, string) (func(), error) { return func() {}, nil }

// TestMetadataIsKept has the life of a document, what cuts it short, and what is kept and not
// believed.
func TestMetadataIsKept(t *testing.T) {
	t.Parallel()
	const path = "/a" + DiscoveryPath
	now := time.Date(2031, 4, 5, 12, 0, 0, 0, time.UTC)
	s := serve(t, map[string]string{path: `{"issuer":"BASE/a","token_endpoint":"BASE/first"}`})
	kept := memoryCache{}
	name := s.issuer("/a").documentName()
	ask := func(change func(*Issuer)) (endpoint, asked string, err error) {
		// Each is another process.
		issuer := s.issuer("/a")
		issuer.Client.Now, issuer.Cache = func() time.Time { return now }, kept
		change(issuer)
		metadata, err := issuer.Metadata(t.Context())
		if err == nil {
			endpoint = metadata.Endpoints["token_endpoint"].Path
		}
		return endpoint, s.took(), err
	}
	for _, step := range []struct {
		name   string
		after  time.Duration
		change func(*Issuer)
		want   string
		asks   bool
	}{
		{"cold", 0, func(*Issuer) {}, "/first", true},
		{"warm", time.Minute, func(*Issuer) {}, "/first", false},
		{"without the cache", 0, func(i *Issuer) { i.Cache = nil }, "/next", true},
		{"another issuer", 0, func(i *Issuer) { i.Name = s.URL + "/b" }, "/other", true},
		{"to be renewed", 0, func(i *Issuer) { i.Since = now }, "/next", true},
		{"renewed by another", 0, func(i *Issuer) { i.Since = now.Add(-time.Second) }, "/next", false},
		{"old", 60 * time.Minute, func(*Issuer) {}, "/next", true},
		{"clock set back", -time.Minute, func(*Issuer) {}, "/next", true},
		{"of another version", 0, func(*Issuer) {
			kept[name] = []byte(strings.Replace(string(kept[name]), `"version":1`, `"version":2`, 1))
		}, "/next", true},
		{"of another issuer", 0, func(*Issuer) { kept[name] = kept["document of "+s.URL+"/b"] }, "/next", true},
		{"naming another issuer", 0, func(*Issuer) {
			kept[name] = []byte(strings.Replace(string(kept[name]), `"issuer":"`+s.URL+`/a"`, `"issuer":"`+s.URL+`/b"`, 1))
		}, "/next", true},
		{"plain http", 0, func(*Issuer) {
			kept[name] = []byte(strings.Replace(string(kept[name]), s.URL+"/next", "http://id.example/next", 1))
		}, "/next", true},
		{"half written", 0, func(*Issuer) { kept[name] = kept[name][:len(kept[name])/2] }, "/next", true},
		{"warm again", 0, func(*Issuer) {}, "/next", false},
	} {
		if step.name == "without the cache" {
			s.put(path, `{"issuer":"BASE/a","token_endpoint":"BASE/next"}`)
			s.put("/b"+DiscoveryPath, `{"issuer":"BASE/b","token_endpoint":"BASE/other"}`)
		}
		now = now.Add(step.after)
		if step.name == "to be renewed" {
			now = now.Add(time.Second)
		}
		got, asked, err := ask(step.change)
		if err != nil || got != step.want || (asked != "") != step.asks {
			t.Errorf("%s: %s after asking for %q, %v", step.name, got, asked, err)
		}
	}
	s.put(path, `{"issuer":"BASE/evil"}`)
	if _, _, err := ask(func(i *Issuer) { i.Since = now.Add(time.Second) }); err == nil {
		t.Error("another issuer is believed")
	}
	if got, asked, err := ask(func(*Issuer) {}); got != "/next" || asked != "" || err != nil {
		t.Errorf("what cannot be used takes the place of what was kept: %s, %q, %v", got, asked, err)
	}
}

// TestMetadataIsAskedForOnce has many goroutines ask one Issuer, which may be the one of a long
// run: a document ages in memory too.
func TestMetadataIsAskedForOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, 4, 5, 12, 0, 0, 0, time.UTC)
	s := serve(t, map[string]string{DiscoveryPath: `{"issuer":"BASE"}`})
	issuer := s.issuer("")
	issuer.Client.Now = func() time.Time { return now }
	for range 2 {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := issuer.Metadata(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if asked := s.took(); asked != DiscoveryPath {
			t.Errorf("asked for %q", asked)
		}
		now = now.Add(time.Hour)
	}
}

// brokenCache can neither be read nor written.
type brokenCache struct{ busy error }

func (brokenCache) Get(context.Context, string) ([]byte, error) {
	return nil, errors.New("unsafe directory")
}

func (brokenCache) Put(context.Context, string, []byte) error { return errors.New("read-only") }

func (c brokenCache) Lock(context.Context, string) (func(), error) { return func() {}, c.busy }

// TestWithoutAWorkingCache costs a request; a lock that is busy for too long is an error.
func TestWithoutAWorkingCache(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{DiscoveryPath: `{"issuer":"BASE"}`})
	issuer := s.issuer("")
	var told []string
	issuer.Cache, issuer.Explain = brokenCache{}, func(format string, _ ...any) { told = append(told, format) }
	if _, err := issuer.Metadata(t.Context()); err != nil || len(told) < 3 {
		t.Errorf("%v, %q", err, told)
	}
	busy := errors.New("busy")
	issuer = s.issuer("")
	issuer.Cache = brokenCache{busy}
	s.took()
	if _, err := issuer.Metadata(t.Context()); !errors.Is(err, busy) || s.took() != "" {
		t.Errorf("busy: %v", err)
	}
	issuer.Client.DryRun = &oauth.DryRun{}
	if _, err := issuer.Metadata(t.Context()); !errors.Is(err, oauth.ErrDryRun) {
		t.Errorf("a dry run: %v", err)
	}
}
