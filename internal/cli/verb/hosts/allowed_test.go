package hosts

import (
	"testing"

	"github.com/authctl/authctl/internal/network"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://api.example":               "api.example",
		"HTTPS://API.Example/x?y=z#w":       "api.example",
		"https://api.example:443/":          "api.example",
		"https://api.example:0443/":         "api.example",
		"https://api.example:8443/a@b":      "api.example:8443",
		"https://api.example?x=y":           "api.example",
		"https://[2001:DB8::1]/":            "[2001:db8::1]",
		"http://127.0.0.1:8080/":            "127.0.0.1:8080",
		"http://[::1]:8080/":                "[::1]:8080",
		"http://localhost/":                 "localhost",
		"https://api.example/{a,b}[1-9]":    "api.example",
		"api.example/x":                     "",
		"http://api.example/":               "",
		"ftp://api.example/":                "",
		"file:///etc/passwd":                "",
		"https:/api.example/":               "",
		"https:///api.example/":             "",
		"https://":                          "",
		"https://api.example@evil.example/": "",
		"https://api.example:x@evil/":       "",
		"https://api.example?@evil.example": "",
		"https://api.example#@evil.example": "",
		`https://api.example\@evil.example`: "",
		"https://api.example\t.evil/":       "",
		"https://api.example .evil/":        "",
		"https://{api.example,evil}/":       "",
		"https://api.example{/,.evil}":      "",
		"https://api[1-9].example/":         "",
		"https://api.ex%61mple/":            "",
		"https://api.ex\u00e4mple/":         "",
		"https://api.example:/":             "",
		"https://api.example:0/":            "",
		"https://api.example:99999/":        "",
		"https://[::1/":                     "",
		"https://[::1]x/":                   "",
		"https://[fe80::1%25eth0]/":         "",
		"http://0177.0.0.1/":                "",
		"http://127.0.0.1.evil.example/":    "",
		"@urls":                             "",
	} {
		d, err := Read(text)
		if (err == nil) != (want != "") || err == nil && d.String() != want {
			t.Errorf("%q goes to %v, %v; want %q", text, d, err, want)
		}
	}
}

func TestHostRules(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule, url string
		want      bool
	}{
		{"api.example", "https://api.example/", true},
		{"API.example", "https://api.example:443/", true},
		{"api.example", "https://api.example:8443/", false},
		{"api.example:8443", "https://api.example:8443/", true},
		{"api.example:8443", "https://api.example/", false},
		{"api.example", "https://x.api.example/", false},
		{"api.example", "https://api.example.evil/", false},
		{"*.acme.example", "https://a.acme.example/", true},
		{"*.acme.example", "https://a.b.acme.example/", true},
		{"*.acme.example", "https://acme.example/", false},
		{"*.acme.example", "https://evilacme.example/", false},
		{"*.acme.example:8443", "https://a.acme.example:8443/", true},
		{"localhost", "http://localhost/", true},
		{"localhost", "http://localhost:8080/", false},
		{"[::1]:8080", "http://[0:0::1]:8080/", true},
	}
	for _, tt := range tests {
		rule, err := network.ParseHostRule(tt.rule)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Read(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := rule.Allows(d.Host, d.Port, StandardPort(d.Scheme)); got != tt.want {
			t.Errorf("%s allows %s: %t, want %t", tt.rule, tt.url, got, tt.want)
		}
	}
	for _, text := range []string{
		"https://api.example./", "https://api.example:0/", "https://127.1/", "https://id\u202e.example/",
	} {
		if d, err := Read(text); err == nil {
			t.Errorf("%q is taken for %+v", text, d)
		}
	}
	for _, text := range []string{
		"", "*", "*.", "*.com", "*.localhost", "https://api.example", "api.example/x", "a b", "*.*.example", "a.*.example",
		"api.example:", "api.example:x", "u@api.example", ".example", "*..acme.example", "[::1", "*.co.uk", "*.com.au", "api.example.", "api.example:0", "api.example:99999", "127.1",
		"b\u00fccher.example", "\u0131d.example", "id\u202e.example", "id\u200b.example", "*.id%2eexample", `api.example\x`,
	} {
		if rule, err := network.ParseHostRule(text); err == nil {
			t.Errorf("%q is taken for %+v", text, rule)
		}
	}
}
