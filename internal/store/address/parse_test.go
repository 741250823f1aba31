package address_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/store/address"
	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const ms, s = time.Millisecond, time.Second
	for text, want := range map[string]address.Address{
		"redis://cache":                       {Hosts: []string{"cache:6379"}},
		"redis://cache/":                      {Hosts: []string{"cache:6379"}},
		"REDIS://Cache:6380/3":                {Hosts: []string{"cache:6380"}, DB: 3},
		"rediss://ci@cache.example.com:6390":  {TLS: true, User: "ci", Hosts: []string{"cache.example.com:6390"}},
		"redis://a%40b@cache":                 {User: "a@b", Hosts: []string{"cache:6379"}},
		"redis://[::1]":                       {Hosts: []string{"[::1]:6379"}},
		"redis://[fe80::1%25eth0]:7000/0":     {Hosts: []string{"[fe80::1%eth0]:7000"}},
		"redis://127.0.0.1:1?cluster=true":    {Hosts: []string{"127.0.0.1:1"}, Cluster: true},
		"redis://c?cluster=false":             {Hosts: []string{"c:6379"}},
		"redis://a:1?addr=b:2&addr=[::1]:3":   {Hosts: []string{"a:1", "b:2", "[::1]:3"}, Cluster: true},
		"redis://a:1?addr=a:1":                {Hosts: []string{"a:1"}},
		"redis://s?addr=t&master_name=m":      {Hosts: []string{"s:26379", "t:26379"}, Master: "m"},
		"redis://c?timeout=2s":                {Hosts: []string{"c:6379"}, Timeout: 2 * s},
		"redis://c?connect_timeout=1m&addr=c": {Hosts: []string{"c:6379"}, Connect: time.Minute},
	} {
		if want.Connect == 0 {
			want.Connect = 300 * ms
		}
		if want.Timeout == 0 {
			want.Timeout = s
		}
		got, err := address.Parse(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Parse(%q): %v (-want +got):\n%s", text, err, diff)
		}
		// What is shown to people is an address again, of the same engine.
		want.User = ""
		again, err := address.Parse(got.String())
		if diff := cmp.Diff(want, again); err != nil || diff != "" {
			t.Errorf("Parse(%q), which was %q: %v (-want +got):\n%s", got, text, err, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                         "does not begin with redis://",
		"memory":                                   "does not begin with redis://",
		"http://cache":                             "does not begin with redis://",
		"redis:cache":                              "does not begin with redis://",
		"redis://":                                 "names no host",
		"redis:///0":                               "names no host",
		"redis://:6379":                            "names no host",
		"redis://c?addr=":                          "names no host",
		"redis://:hunter2@cache":                   "has a password in its address",
		"redis://ci:hunter2@cache":                 "has a password in its address",
		"redis://ci:@cache":                        "has a password in its address",
		"redis://cache?password=hunter2":           "has a password in its address",
		"redis://cache?Passwd=hunter2":             "has a password in its address",
		"redis://ci:hunter2/@cache":                "is not a URL",
		"redis://ci:hunter2#@cache":                "is not a URL",
		"redis://cache#hunter2":                    "has a # in it",
		"redis://cache/hunter2":                    "has a path that is no number",
		"redis://cache/-1":                         "has a path that is no number",
		"redis://cache/0/1":                        "has a path that is no number",
		"redis://cache/65536":                      "has a path that is no number",
		"redis://cache:0":                          "has a host that is none",
		"redis://cache:65536":                      "has a host that is none",
		"redis://cache:":                           "has a host that is none",
		"redis://a,b":                              "has a host that is none",
		"redis://a?addr=b:x":                       "has a host that is none",
		"redis://a?addr=::1":                       "has a host that is none",
		"redis://a?addr=hunter2@b":                 "has a host that is none",
		"redis://cache?tiemout=2s":                 "has an unknown parameter: tiemout",
		"redis://cache?a1b2c3d4e5f6a7b8hunter2":    "has an unknown parameter",
		"redis://cache?timeout=2":                  "has a timeout that is no duration",
		"redis://cache?timeout=0s":                 "has a timeout that is no duration",
		"redis://cache?connect_timeout=2m":         "has a connect_timeout that is no duration",
		"redis://cache?timeout=1s&timeout=2s":      "says timeout more than once",
		"redis://cache?cluster=yes":                "has a cluster that is neither true nor false",
		"redis://cache?master_name=":               "has a master_name that is none",
		"redis://cache?master_name=m&cluster=true": "says both cluster and master_name",
		"redis://cache/1?cluster=true":             "names a database other than 0",
		"redis://cache/1?addr=b":                   "names a database other than 0",
		"redis://cache?%zz":                        "has parameters that cannot be read",
	} {
		_, err := address.Parse(text)
		unfit, ok := errors.AsType[*address.Error](err)
		if !ok || !strings.HasPrefix(unfit.Problem, want) || unfit.Help == "" {
			t.Errorf("Parse(%q) = %v, want %q and help", text, err, want)
			continue
		}
		if strings.Contains(unfit.Problem+unfit.Help, "hunter2") {
			t.Errorf("Parse(%q) repeats what may be a password: %v; %s", text, err, unfit.Help)
		}
	}
}

func TestParseMeans(t *testing.T) {
	t.Parallel()
	_, err := address.Parse("redis://cache?conect_timeout=1s")
	if unfit, ok := errors.AsType[*address.Error](err); !ok || unfit.Help != "did you mean connect_timeout?" {
		t.Errorf("got %+v", err)
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"redis://": true, "rediss://x": true, "Redis://x": true, "redis": false, "redis:x": false, "memory": false, "http://x": false, "": false,
	} {
		if address.Is(text) != want {
			t.Errorf("Is(%q) = %v", text, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"redis://u@h:1/2?addr=b:3", "rediss://[::1]", "redis://h?master_name=m&timeout=1s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := address.Parse(text)
		if err != nil {
			return
		}
		again, err := address.Parse(a.String())
		a.User = ""
		if diff := cmp.Diff(a, again); err != nil || diff != "" {
			t.Errorf("Parse(%q), of what %q means: %v (-want +got):\n%s", a.String(), text, err, diff)
		}
	})
}
