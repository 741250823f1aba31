package proxy

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequestIsPassedAsItIs(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 1)
	s := newStage(t, func(_ http.ResponseWriter, r *http.Request) { seen <- asked(r) }, func(o *Options) { o.To.Path = "/v2" })
	for target, want := range map[string]string{
		"/SECRET/a?b=c;d&%zz=%41&e":    "/v2/a?b=c;d&%zz=%41&e",
		"/SECRET/a%2Fb%2fc/%41":        "/v2/a%2Fb%2fc/%41",
		"/SECRET/{a}%2F|b^\"":          "/v2/{a}%2F|b^\"",
		"/SECRET//a//b/":               "/v2//a//b/",
		"/SECRET/a;b=c/./d":            "/v2/a;b=c/./d",
		"/SECRET/a?":                   "/v2/a?",
		"/SECRET/":                     "/v2/",
		"/SECRET":                      "/v2",
		"/SECRET?a":                    "/v2?a",
		"http://HOST/SECRET/a%2Fb?c":   "/v2/a%2Fb?c",
		"/SECRET/\u00fc":               "/v2/\u00fc",
		"/SECRET/SECRET?SECRET=SECRET": "/v2/" + s.secret + "?" + s.secret + "=" + s.secret,
	} {
		if got := s.raw("PROPFIND " + target + " HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"); got != "HTTP/1.1 200 OK" {
			t.Errorf("%s is answered %q", target, got)
			continue
		}
		if got := <-seen; got != "PROPFIND "+want+" token-1" {
			t.Errorf("%s becomes %s, want %s", target, got, want)
		}
	}
}

func TestHeadersOfRequest(t *testing.T) {
	t.Parallel()
	seen := make(chan http.Header, 1)
	host := make(chan string, 1)
	s := newStage(t, func(_ http.ResponseWriter, r *http.Request) { host <- r.Host; seen <- r.Header })
	s.ask(http.MethodGet, "/x", "",
		"Authorization: Basic own", "Cookie: a=b", "Proxy-Authorization: Basic x", "Proxy-Connection: keep-alive", "Proxy-Foo: x",
		"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Prefix: /x", "Forwarded: for=x", "X-Real-Ip: x", "Connection: X-Hop", "X-Hop: x",
		"X-Api-Key: own", "X-Own: a", "X-Own: b", "Accept: text/x", "User-Agent: mine",
		"Origin: http://"+s.host, "Referer: "+s.URL()+"/page?x=y", "Accept-Encoding: br")
	want := http.Header{
		"Authorization": {"Bearer token-1"}, "X-Api-Key": {"fake-key"}, "X-Own": {"a", "b"}, "Accept": {"text/x"}, "User-Agent": {"mine"},
		"Origin": {s.upstream.URL}, "Referer": {s.upstream.URL + "/page?x=y"}, "Accept-Encoding": {"br"},
	}
	if diff := cmp.Diff(strings.TrimPrefix(s.upstream.URL, "http://"), <-host); diff != "" {
		t.Errorf("Host (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, <-seen); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	s.ask(http.MethodGet, "/x", "", "Referer: http://elsewhere.example/"+s.secret)
	<-host
	if got := (<-seen).Get("Referer"); got != "" {
		t.Errorf("the secret goes to the upstream: %s", got)
	}
}

func TestHeadersOfReply(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Set-Cookie", "session=x")
		h.Set("Alt-Svc", `h3=":443"`)
		h.Set("Referrer-Policy", "unsafe-url")
		h.Set("Content-Encoding", "x-own")
		h.Set("Trailer", "X-Last")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "body")
		h.Set("X-Last", "end")
	})
	r := s.ask(http.MethodGet, "/x", "")
	if r.StatusCode != http.StatusAccepted || r.body != "body" || r.Header.Get("Content-Encoding") != "x-own" || r.Trailer.Get("X-Last") != "end" {
		t.Errorf("the reply is %d %q %v %v", r.StatusCode, r.body, r.Header, r.Trailer)
	}
	for name, want := range map[string]string{"Set-Cookie": "", "Alt-Svc": "", "Referrer-Policy": "same-origin"} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestLocation(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.Header().Set("Content-Location", r.URL.Query().Get("to"))
		w.WriteHeader(http.StatusTemporaryRedirect)
	}, func(o *Options) { o.To.Path = "/v2" })
	host := strings.TrimPrefix(s.upstream.URL, "http://")
	for to, want := range map[string]string{
		"http://" + host + "/v2/a%2Fb?c=d#e": "PROXY/a%2Fb?c=d#e",
		"HTTP://" + host + "/v2":             "PROXY",
		"/v2/a/../b":                         "PROXY/b",
		"/v2/../v1":                          "http://" + host + "/v1",
		"/v2x":                               "http://" + host + "/v2x",
		"/":                                  "http://" + host + "/",
		"b":                                  "PROXY/deep/b",
		"../b?":                              "PROXY/b?",
		"?x=y":                               "PROXY/deep/page?x=y",
		"//evil.example/v2/a":                "http://evil.example/v2/a",
		"https://" + host + "/v2/a":          "https://" + host + "/v2/a",
		"https://evil.example/v2/a":          "https://evil.example/v2/a",
		"mailto:a@b.example":                 "mailto:a@b.example",
	} {
		r := s.ask(http.MethodGet, "/deep/page?to="+url.QueryEscape(to), "")
		want := strings.Replace(want, "PROXY", s.URL(), 1)
		for _, name := range []string{"Location", "Content-Location"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s %s becomes %s, want %s", name, to, got, want)
			}
		}
	}
	if got := s.ours(s.To, "http://[bad"); got != "http://[bad" {
		t.Errorf("what is no reference becomes %s", got)
	}
}
