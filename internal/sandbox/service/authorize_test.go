package service

import (
	"net/url"
	"testing"
)

func FuzzRegistered(f *testing.F) {
	for _, uri := range []string{"http://127.0.0.1:49152/callback", "http://127.0.0.1:0", "http://127.0.0.1:1@x/", "http://127.0.0.1:1\\@x", "http://127.0.0.1:%31/"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if !registered(uri) {
			return
		}
		a := Authorization{Query: url.Values{"redirect_uri": {uri}}}
		u, err := url.Parse((&Exchange{}).back(a, map[string]string{"code": "c"}).Header["Location"])
		if err != nil || u.Hostname() != "127.0.0.1" || u.Query().Get("code") != "c" || u.User != nil || u.Fragment != "" {
			t.Fatalf("%q becomes %v, %v", uri, u, err)
		}
	})
}
