package service

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func FuzzParseBasic(f *testing.F) {
	for _, v := range []string{
		"", "Basic", "Basic ", "basic YTpi", "Basic YTpi", "Bearer YTpi",
		"Basic YWI=", "Basic " + Marker, "Basic JTpi",
		rawBasic("a:b", "c"), formBasic("a:b", "c d+é%"),
	} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		h := http.Header{"Authorization": {v}}
		raw, decoded := parseBasic(h, false), parseBasic(h, true)
		if !raw.Present || (decoded.OK && !raw.OK) || strings.Contains(raw.ID, ":") {
			t.Fatalf("%q: raw %+v decoded %+v", v, raw, decoded)
		}
		if !raw.OK {
			return
		}
		again := parseBasic(http.Header{"Authorization": {rawBasic(raw.ID, raw.Secret)}}, false)
		if again != raw {
			t.Fatalf("%+v becomes %+v", raw, again)
		}
		encoded := parseBasic(http.Header{"Authorization": {formBasic(raw.ID, raw.Secret)}}, true)
		if encoded != raw {
			t.Fatalf("form-encoded, %+v becomes %+v", raw, encoded)
		}
	})
}

func rawBasic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func formBasic(id, secret string) string {
	return rawBasic(url.QueryEscape(id), url.QueryEscape(secret))
}
