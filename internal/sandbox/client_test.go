package sandbox

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a clock that only the test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// start runs a server with a clock of its own.
func start(t *testing.T, opts Options) (*Server, *clock) {
	t.Helper()
	c := &clock{t: time.Unix(1_750_000_000, 0)}
	opts.Now = c.now
	s := New(opts)
	if err := s.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, c
}

// call is one request; post fills in what all token requests share.
type call struct {
	method, path, body string
	header             map[string]string
}

func post(path string, form url.Values, header map[string]string) call {
	h := map[string]string{"Content-Type": formType}
	maps.Copy(h, header)
	return call{http.MethodPost, path, form.Encode(), h}
}

// without leaves one header out.
func (c call) without(name string) call {
	h := map[string]string{}
	for k, v := range c.header {
		if k != name {
			h[k] = v
		}
	}
	c.header = h
	return c
}

// result is a reply as a foreign client sees it.
type result struct {
	status int
	header http.Header
	body   string
}

func (c call) request(t *testing.T, s *Server) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), c.method, s.URL()+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	if host, ok := c.header["Host"]; ok {
		req.Host = host
	}
	return req
}

func newHTTPClient(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{
		Transport:     tr,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func do(t *testing.T, s *Server, c call) result {
	t.Helper()
	resp, err := newHTTPClient(t).Do(c.request(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return result{resp.StatusCode, resp.Header, string(b)}
}

func (r result) fields(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(r.body), &m); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
	return m
}

// wantToken checks the status and returns the fields of a token reply.
func wantToken(t *testing.T, r result) map[string]any {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("status %d, body %s", r.status, r.body)
	}
	if got := r.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	return r.fields(t)
}

// text is a string of a reply or a token.
func text(t *testing.T, v any) string {
	t.Helper()
	s, ok := v.(string)
	if !ok {
		t.Fatalf("%v is not a string", v)
	}
	return s
}

// seconds is exp less iat.
func seconds(t *testing.T, claims map[string]any) float64 {
	t.Helper()
	exp, ok := claims["exp"].(float64)
	iat, ok2 := claims["iat"].(float64)
	if !ok || !ok2 {
		t.Fatalf("claims %v", claims)
	}
	return exp - iat
}

func rawBasic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func formBasic(id, secret string) string {
	return rawBasic(url.QueryEscape(id), url.QueryEscape(secret))
}

// signES256 signs as RFC 7515 and RFC 7518 §3.4 have it, without the library the
// sandbox uses.
func signES256(t *testing.T, key *ecdsa.PrivateKey, header, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// publicOf is the public key of what signs with ES256.
func publicOf(s signer) *ecdsa.PublicKey {
	key, _ := s.Key.Public().(*ecdsa.PublicKey)
	return key
}

// verifyES256 returns header and claims of a JWT whose signature is right.
func verifyES256(t *testing.T, key *ecdsa.PublicKey, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts in token", len(parts))
	}
	decoded := make([][]byte, 3)
	for i, p := range parts {
		b, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			t.Fatal(err)
		}
		decoded[i] = b
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	sig := decoded[2]
	if len(sig) != 64 {
		t.Fatalf("the signature has %d bytes", len(sig))
	}
	if !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		t.Fatal("the token's signature is wrong")
	}
	for i, dest := range []*map[string]any{&header, &claims} {
		if err := json.Unmarshal(decoded[i], dest); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

// good is a request that each service grants.
func good(service string) call {
	grant := url.Values{"grant_type": {"client_credentials"}}
	switch service {
	case "pexip":
		return post("/realms/acme/protocol/openid-connect/token", grant,
			map[string]string{"Authorization": formBasic("sandbox-pexip", Marker+"+pexip/100%:é secret")})
	case "talkdesk":
		return post("/oauth/token", grant,
			map[string]string{"Authorization": rawBasic("sandbox-talkdesk", Marker+"+talkdesk%:raw")})
	case "qmatic":
		return post("/oauth2/token", grant, map[string]string{
			"Authorization": rawBasic("sandbox-qmatic", Marker+"+qmatic%:raw"), "X-Account": "mybankab",
		})
	default:
		return post("/auth/v3/oauth/token", grant, map[string]string{
			"Authorization": rawBasic("sandbox-genesys", Marker+"+genesys%:raw"),
			"X-Api-Key":     Marker + "-genesys-api-key", "Accept": "application/json",
		})
	}
}

func allServices() []string { return []string{"pexip", "talkdesk", "qmatic", "genesys"} }

// withForm sets or, with no values, removes parameters.
func (c call) withForm(t *testing.T, changes url.Values) call {
	t.Helper()
	form, err := url.ParseQuery(c.body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range changes {
		form[name] = values
		if len(values) == 0 {
			delete(form, name)
		}
	}
	c.body = form.Encode()
	return c
}

func (c call) withHeader(name, value string) call {
	c = c.without(name)
	c.header[name] = value
	return c
}

// as replaces the credentials, taken as they are.
func (c call) as(id, secret string) call { return c.withHeader("Authorization", rawBasic(id, secret)) }

// set sets one parameter of a body that has not got it twice.
func (c call) set(name, value string) call {
	form, _ := url.ParseQuery(c.body)
	form.Set(name, value)
	c.body = form.Encode()
	return c
}

// refusals are checked as status, body, and what was changed in a good request.
type refusal struct {
	name   string
	call   call
	status int
	body   string // the JSON expected; empty for none
}

func runRefusals(t *testing.T, s *Server, between func(), rows []refusal) {
	t.Helper()
	for _, row := range rows {
		between()
		got := do(t, s, row.call)
		if got.status != row.status {
			t.Errorf("%s: status %d, want %d", row.name, got.status, row.status)
		}
		if strings.TrimSpace(got.body) != row.body {
			t.Errorf("%s: body %s\nwant %s", row.name, got.body, row.body)
		}
		if got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: no Cache-Control: no-store", row.name)
		}
	}
}
