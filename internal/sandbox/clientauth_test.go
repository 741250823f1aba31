package sandbox

import (
	"net/http"
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
		if !raw.present || (decoded.ok && !raw.ok) || strings.Contains(raw.id, ":") {
			t.Fatalf("%q: raw %+v decoded %+v", v, raw, decoded)
		}
		if !raw.ok {
			return
		}
		again := parseBasic(http.Header{"Authorization": {rawBasic(raw.id, raw.secret)}}, false)
		if again != raw {
			t.Fatalf("%+v becomes %+v", raw, again)
		}
		encoded := parseBasic(http.Header{"Authorization": {formBasic(raw.id, raw.secret)}}, true)
		if encoded != raw {
			t.Fatalf("form-encoded, %+v becomes %+v", raw, encoded)
		}
	})
}
