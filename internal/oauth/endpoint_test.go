package oauth

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestCheckEndpoint(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{
		"https://id.example/oauth/token":         true,
		"https://id.example:8443/t":              true,
		"http://127.0.0.1:9/t":                   true,
		"http://127.9.9.9/t":                     true,
		"http://[::1]:9/t":                       true,
		"http://[::ffff:127.0.0.1]/t":            true,
		"http://LOCALHOST:80/t":                  true,
		"http://id.example/t":                    false,
		"http://localhost.example/t":             false,
		"http://127.0.0.1.example/t":             false,
		"http://10.0.0.1/t":                      false,
		"https:///t":                             false,
		"https:opaque":                           false,
		"ftp://id.example/t":                     false,
		"//id.example/t":                         false,
		"https://u:fake-secret-pw@id.example/t":  false,
		"https://u@id.example/t":                 false,
		"https://id.example/t?k=fake-secret-key": false,
		"https://id.example/t?":                  false,
		"https://id.example/t#fake-secret-frag":  false,
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		err = CheckEndpoint(u)
		if (err == nil) != ok {
			t.Errorf("%s: %v", raw, err)
		}
		if err == nil {
			continue
		}
		if _, typed := errors.AsType[*RequestError](err); !typed || strings.Contains(err.Error(), "fake-secret") {
			t.Errorf("%s: %T %v", raw, err, err)
		}
	}
	if CheckEndpoint(nil) == nil {
		t.Error("a missing endpoint is accepted")
	}
}
