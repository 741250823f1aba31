// Package serve runs an authorization server that this project did not write, for its tests, as serve.mjs does for
// those in JavaScript: on a port that the system chooses, until stdin closes, with a list of what was asked.
package serve

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
)

// Request is what is remembered of a request: no secret.
type Request struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Auth      string `json:"auth"`
	Client    string `json:"client"`
	GrantType string `json:"grant_type"`
	Status    int    `json:"status"`
}

// Serve listens on a free port of loopback, prints {"url", "issuer"} as the only line on stdout and serves what build
// makes for that URL and for the JSON in the environment variable SERVER_CONFIG. It ends the process when stdin closes,
// so that the server never outlives the test.
//
// GET /_requests lists what was asked.
func Serve(build func(url string, config []byte) (issuer string, h http.Handler, err error)) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	base := "http://" + listener.Addr().String()
	issuer, next, err := build(base, []byte(os.Getenv("SERVER_CONFIG")))
	if err != nil {
		fail(err)
	}
	ready, err := json.Marshal(map[string]string{"url": base, "issuer": issuer})
	if err != nil {
		fail(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Printf("%s\n", ready)
	fail(http.Serve(listener, &watched{next: next}))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// watched keeps a list of the requests that it hands on.
type watched struct {
	next http.Handler

	mu       sync.Mutex
	requests []*Request
}

// ServeHTTP answers the pages for the test, and hands on the rest.
func (h *watched) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/_requests" {
		h.list(w)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	note := &Request{Method: r.Method, Path: r.URL.Path, GrantType: form.Get("grant_type")}
	note.Auth, note.Client = client(r, form)
	h.mu.Lock()
	h.requests = append(h.requests, note)
	h.mu.Unlock()
	kept := &status{ResponseWriter: w, code: http.StatusOK}
	h.next.ServeHTTP(kept, r)
	h.mu.Lock()
	note.Status = kept.code
	h.mu.Unlock()
}

func (h *watched) list(w http.ResponseWriter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"requests": h.requests})
}

// client is who asks and how that is shown, as far as the request says so.
func client(r *http.Request, form url.Values) (auth, id string) {
	if id, _, ok := r.BasicAuth(); ok {
		if plain, err := url.QueryUnescape(id); err == nil {
			id = plain
		}
		return "basic", id
	}
	if assertion := form.Get("client_assertion"); assertion != "" {
		return "assertion", claim(assertion, "sub")
	}
	if id = form.Get("client_id"); id == "" {
		return "", claim(form.Get("assertion"), "iss")
	}
	if form.Has("client_secret") {
		return "post", id
	}
	return "", id
}

// claim reads a claim of a JWT that nobody has checked.
func claim(token, name string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims map[string]any
	_ = json.Unmarshal(payload, &claims)
	text, _ := claims[name].(string)
	return text
}

// status remembers the status of a reply.
type status struct {
	http.ResponseWriter
	code int
}

// WriteHeader sends the header; see http.ResponseWriter.
func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}
