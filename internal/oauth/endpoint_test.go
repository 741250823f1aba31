package oauth

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/secret"
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
		// Hosts that two programs, or a program and a person, read differently.
		"https://*.com/t":                                    false,
		"https://*/t":                                        false,
		"https://id.example:99999/t":                         false,
		"https://id.example:65536/t":                         false,
		"https://id.example:65535/t":                         true,
		"https://id.example:0/t":                             false,
		"https://id.example:/t":                              false,
		"https://id.example./t":                              false,
		"https://.example/t":                                 false,
		"https://id..example/t":                              false,
		"https://-id.example/t":                              false,
		"https://id-.example/t":                              false,
		"https://id_1.example/t":                             true,
		"https://id!.example/t":                              false,
		"https://id,b.example/t":                             false,
		"https://xn--bcher-kva.example/t":                    true,
		"https://XN--BCHER-KVA.example/t":                    true,
		"https://xn--zzz.example/t":                          true, // a Chinese character
		"https://xn--80akhbyknj4f/t":                         true,
		"https://xn--ls8h.example/t":                         true,
		"https://xn--zz.example/t":                           false,
		"https://xn--0.example/t":                            false,
		"https://xn--99999999.example/t":                     false,
		"https://xn--zzzzzzzz.example/t":                     false,
		"https://xn--a.example/t":                            false, // a control character
		"https://xn--1ug.example/t":                          false, // a zero-width joiner
		"https://xn--a-b-.example/t":                         false,
		"https://b\u00fccher.example/t":                      false,
		"https://\u0131d.example/t":                          false, // a dotless i
		"https://id\u202e.example/t":                         false, // right to left from here
		"https://id\u200b.example/t":                         false, // no width
		"https://id\u00ad.example/t":                         false, // a soft hyphen
		"https://\ufeffid.example/t":                         false,
		"https://id\u3002example/t":                          false, // an ideographic full stop
		"https://\uff49d.example/t":                          false, // a wide i
		"https://id%E2%80%AE.example/t":                      false,
		"https://id%c4%b1.example/t":                         false,
		"https://" + strings.Repeat("a", 63) + ".example/t":  true,
		"https://" + strings.Repeat("a", 64) + ".example/t":  false,
		"https://" + strings.Repeat("a.", 130) + "example/t": false,
		"https://127.1/t":                                    false,
		"https://0x7f000001/t":                               false,
		"https://2130706433/t":                               false,
		"https://0177.0.0.1/t":                               false,
		"https://192.0.2.1/t":                                true,
		"https://[2001:db8::1]:443/t":                        true,
		"https://[fe80::1%25eth0]/t":                         false,
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
		if _, typed := errors.AsType[*RequestError](err); !typed || strings.Contains(err.Error(), "fake-secret") ||
			secret.CleanText(err.Error()) != err.Error() {
			t.Errorf("%q: %T %v", raw, err, err)
		}
	}
	if CheckEndpoint(nil) == nil {
		t.Error("a missing endpoint is accepted")
	}
}
