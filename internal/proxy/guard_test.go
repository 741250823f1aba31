package proxy

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	var seen atomic.Int32
	s := newStage(t, func(http.ResponseWriter, *http.Request) { seen.Add(1) })
	for request, want := range map[string]string{
		"GET /SECRET/x HTTP/1.1\r\nHost: HOST":                                                       "200 OK",
		"GET /SECRET HTTP/1.1\r\nHost: HOST":                                                         "200 OK",
		"GET http://HOST/SECRET/x HTTP/1.1\r\nHost: HOST":                                            "200 OK",
		"GET /SECRET/x HTTP/1.1\r\nHost: HOST\r\nOrigin: http://HOST":                                "200 OK",
		"GET /SECRET/x HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: none":                               "200 OK",
		"GET /SECRET/x HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: same-origin":                        "200 OK",
		"GET /SECRET/a..b/.../..%61 HTTP/1.1\r\nHost: HOST":                                          "200 OK",
		"GET / HTTP/1.1\r\nHost: HOST":                                                               "404 Not Found",
		"GET /x/SECRET HTTP/1.1\r\nHost: HOST":                                                       "404 Not Found",
		"GET //SECRET/x HTTP/1.1\r\nHost: HOST":                                                      "404 Not Found",
		"GET /SECRETX/x HTTP/1.1\r\nHost: HOST":                                                      "404 Not Found",
		"GET /../SECRET/x HTTP/1.1\r\nHost: HOST":                                                    "404 Not Found",
		"GET /?SECRET HTTP/1.1\r\nHost: HOST":                                                        "404 Not Found",
		"GET /SECRE HTTP/1.1\r\nHost: evil.example":                                                  "404 Not Found",
		"OPTIONS * HTTP/1.1\r\nHost: HOST":                                                           "404 Not Found",
		"OPTIONS /x HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example":                           "404 Not Found",
		"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443":                                "404 Not Found",
		"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example":                                    "404 Not Found",
		"GET http://evil.example/SECRET/ HTTP/1.1\r\nHost: HOST":                                     "403 Forbidden",
		"GET /SECRET/x HTTP/1.1\r\nHost: evil.example":                                               "403 Forbidden",
		"GET /SECRET/x HTTP/1.1\r\nHost: localhost":                                                  "403 Forbidden",
		"GET /SECRET/x HTTP/1.1\r\nHost: HOST\r\nOrigin: https://HOST":                               "403 Forbidden",
		"GET /SECRET/x HTTP/1.1\r\nHost: HOST\r\nOrigin: null":                                       "403 Forbidden",
		"GET /SECRET/x HTTP/1.1\r\nHost: HOST\r\nOrigin: http://HOST\r\nOrigin: http://evil.example": "403 Forbidden",
		"GET /SECRET/x HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: cross-site":                         "403 Forbidden",
		"GET /SECRET/x HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: same-site":                          "403 Forbidden",
		"OPTIONS /SECRET/x HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example":                    "403 Forbidden",
		"TRACE /SECRET/x HTTP/1.1\r\nHost: HOST":                                                     "405 Method Not Allowed",
		"GET /SECRET/../x HTTP/1.1\r\nHost: HOST":                                                    "400 Bad Request",
		"GET /SECRET/a/%2e%2E/x HTTP/1.1\r\nHost: HOST":                                              "400 Bad Request",
		"GET /SECRET/a%2f..%2Fx HTTP/1.1\r\nHost: HOST":                                              "400 Bad Request",
		"GET /SECRET/a%5c..%5Cx HTTP/1.1\r\nHost: HOST":                                              "400 Bad Request",
		"GET /SECRET/..;a=b/x HTTP/1.1\r\nHost: HOST":                                                "400 Bad Request",
	} {
		before := seen.Load()
		got := s.raw(request + "\r\nConnection: close\r\n\r\n")
		if got != "HTTP/1.1 "+want {
			t.Errorf("%s\nis answered %q, want %s", request, got, want)
		}
		if passed := seen.Load() > before; passed != (want == "200 OK") {
			t.Errorf("%s\nis passed on: %t", request, passed)
		}
	}
}

// TestRefusalsAddNoCORS: a browser that asks beforehand is told nothing that lets its page go on.
func TestRefusalsAddNoCORS(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(http.ResponseWriter, *http.Request) {})
	for _, path := range []string{"", "x"} {
		r := s.do(s.request(http.MethodOptions, s.URL()+path, nil, "Origin: http://evil.example", "Access-Control-Request-Method: GET"))
		for name := range r.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%q: the answer has %s", path, name)
			}
		}
	}
}

func TestSecretIsNewAndLong(t *testing.T) {
	t.Parallel()
	a, b := New(Options{}), New(Options{})
	// Five bits a letter.
	if a.secret == b.secret || len(a.secret)*5 < 128 {
		t.Errorf("secrets of %d and %d letters", len(a.secret), len(b.secret))
	}
}

func TestLogHasNoSecret(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "x")
	})
	for path, want := range map[string]string{
		"/a/b?secret=y": "GET /a/b 418 ", "": "GET / 418 ", "/broken": "GET /broken 502 ", "X/a": "GET - 404 ",
		"/a%1b%0ab": "GET /a%1b%0ab 418 ",
	} {
		s.ask(http.MethodGet, path, "")
		if line := <-s.logged; !strings.HasPrefix(line, want) || !strings.HasSuffix(line, "ms") || strings.Contains(line, s.secret) {
			t.Errorf("%s is logged as %q, want %s", path, line, want)
		}
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"127.0.0.1:0": true, "[::1]:8080": true, "localhost:0": true, "127.9.9.9:1": true,
		"0.0.0.0:0": false, ":0": false, "[::]:0": false, "192.0.2.1:0": false, "127.0.0.1": false, "": false, "nonsense": false,
	} {
		if address, err := Loopback(text); (err == nil) != ok {
			t.Errorf("%q is taken for %v, %v", text, address, err)
		}
	}
}
