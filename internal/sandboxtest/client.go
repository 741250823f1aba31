package sandboxtest

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

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandbox/service"
)

// What a login of the tests uses.
const (
	Callback = "http://127.0.0.1:49152/callback"
	Verifier = "obviously-fake-verifier-of-fifty-characters-length"
)

// S256 is the code_challenge of a verifier (RFC 7636 §4.2).
func S256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// LoginServices are those where a person can sign in.
func LoginServices() []string { return []string{"genesys", "talkdesk", "oauth2"} }

// AuthorizePath is an authorization request that works, with changes; nil
// removes a parameter.
func AuthorizePath(service string, changes url.Values) string {
	query := url.Values{
		"client_id": {"sandbox-" + service}, "redirect_uri": {Callback}, "response_type": {"code"}, "state": {"s t&é"},
	}
	maps.Copy(query, changes)
	maps.DeleteFunc(query, func(_ string, v []string) bool { return v == nil })
	path := "/auth/v3/oauth/authorize"
	switch service {
	case "talkdesk":
		path = "/oauth/authorize"
	case "oauth2":
		path = OAuth2Base + "authorize"
	}
	return path + "?" + query.Encode()
}

// SignInFor returns the parameters the client gets back.
func SignInFor(t *testing.T, s *sandbox.Server, service string, changes url.Values) url.Values {
	t.Helper()
	at, err := Jane(s, service).SignIn(t.Context(), s.URL()+AuthorizePath(service, changes))
	if err != nil {
		t.Fatal(err)
	}
	return CallbackQuery(t, at)
}

// CallbackQuery reads where the browser is sent to.
func CallbackQuery(t *testing.T, at string) url.Values {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil || !strings.HasPrefix(at, Callback+"?") {
		t.Fatalf("the browser is sent to %s, %v", at, err)
	}
	return u.Query()
}

// CodeCall exchanges a code.
func CodeCall(t *testing.T, service, code string) Call {
	t.Helper()
	return Good(service).WithForm(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {Callback},
	})
}

// UserToken is the token reply of a whole login.
func UserToken(t *testing.T, s *sandbox.Server, service string, changes url.Values) map[string]any {
	t.Helper()
	return WantToken(t, Do(t, s, CodeCall(t, service, SignInFor(t, s, service, changes).Get("code"))))
}

// Get is a request without a body.
func Get(path string) Call { return Call{Method: http.MethodGet, Path: path} }

// Clock is a clock that only the test moves.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// Now is what it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Advance moves it.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Start runs a server with a clock of its own.
func Start(t *testing.T, opts sandbox.Options) (*sandbox.Server, *Clock) {
	t.Helper()
	c := &Clock{t: time.Unix(1_750_000_000, 0)}
	opts.Now = c.Now
	s := sandbox.New(opts)
	if err := s.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, c
}

// Call is one request; post fills in what all token requests share.
type Call struct {
	Method, Path, Body string
	Header             map[string]string
}

// Post is a request with a form.
func Post(path string, form url.Values, header map[string]string) Call {
	h := map[string]string{"Content-Type": FormType}
	maps.Copy(h, header)
	return Call{http.MethodPost, path, form.Encode(), h}
}

// Without leaves one header out.
func (c Call) Without(name string) Call {
	h := map[string]string{}
	for k, v := range c.Header {
		if k != name {
			h[k] = v
		}
	}
	c.Header = h
	return c
}

// Result is a reply as a foreign client sees it.
type Result struct {
	Status int
	Header http.Header
	Body   string
}

// Request makes the request.
func (c Call) Request(t *testing.T, s *sandbox.Server) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), c.Method, s.URL()+c.Path, strings.NewReader(c.Body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.Header {
		req.Header.Set(name, value)
	}
	if host, ok := c.Header["Host"]; ok {
		req.Host = host
	}
	return req
}

// NewHTTPClient is a client that follows no redirect.
func NewHTTPClient(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{
		Transport:     tr,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Do sends a request.
func Do(t *testing.T, s *sandbox.Server, c Call) Result {
	t.Helper()
	resp, err := NewHTTPClient(t).Do(c.Request(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Result{resp.StatusCode, resp.Header, string(b)}
}

// Fields reads a JSON body.
func (r Result) Fields(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(r.Body), &m); err != nil {
		t.Fatalf("body %q: %v", r.Body, err)
	}
	return m
}

// WantToken checks the status and returns the fields of a token reply.
func WantToken(t *testing.T, r Result) map[string]any {
	t.Helper()
	if r.Status != http.StatusOK {
		t.Fatalf("status %d, body %s", r.Status, r.Body)
	}
	if got := r.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	return r.Fields(t)
}

// Text is a string of a reply or a token.
func Text(t *testing.T, v any) string {
	t.Helper()
	s, ok := v.(string)
	if !ok {
		t.Fatalf("%v is not a string", v)
	}
	return s
}

// Seconds is exp less iat.
func Seconds(t *testing.T, claims map[string]any) float64 {
	t.Helper()
	exp, ok := claims["exp"].(float64)
	iat, ok2 := claims["iat"].(float64)
	if !ok || !ok2 {
		t.Fatalf("claims %v", claims)
	}
	return exp - iat
}

// RawBasic is Basic over id and secret as they are.
func RawBasic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// FormBasic is Basic over id and secret form-encoded (RFC 6749 §2.3.1).
func FormBasic(id, secret string) string {
	return RawBasic(url.QueryEscape(id), url.QueryEscape(secret))
}

// SignES256 signs as RFC 7515 and RFC 7518 §3.4 have it, without the library the
// sandbox uses.
func SignES256(t *testing.T, signer service.Signer, header, claims map[string]any) string {
	t.Helper()
	key, _ := signer.Key.(*ecdsa.PrivateKey)
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

// PublicOf is the public key of what signs with ES256.
func PublicOf(s service.Signer) *ecdsa.PublicKey {
	key, _ := s.Key.Public().(*ecdsa.PublicKey)
	return key
}

// VerifyES256 returns header and claims of a JWT whose signature is right.
func VerifyES256(t *testing.T, key *ecdsa.PublicKey, token string) (header, claims map[string]any) {
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

// Good is a request that each service grants.
func Good(service string) Call {
	grant := url.Values{"grant_type": {"client_credentials"}}
	switch service {
	case "pexip":
		return Post("/realms/acme/protocol/openid-connect/token", grant,
			map[string]string{"Authorization": FormBasic("sandbox-pexip", sandbox.Marker+"+pexip/100%:é secret")})
	case "talkdesk":
		return Post("/oauth/token", grant,
			map[string]string{"Authorization": RawBasic("sandbox-talkdesk", sandbox.Marker+"+talkdesk%:raw")})
	case "qmatic":
		return Post("/oauth2/token", grant, map[string]string{
			"Authorization": RawBasic("sandbox-qmatic", sandbox.Marker+"+qmatic%:raw"), "X-Account": "mybankab",
		})
	case "oauth2":
		return Post(OAuth2Base+"token", grant,
			map[string]string{"Authorization": FormBasic("sandbox-oauth2", sandbox.Marker+"+oauth2/100%:é secret")})
	default:
		return Post("/auth/v3/oauth/token", grant, map[string]string{
			"Authorization": RawBasic("sandbox-genesys", sandbox.Marker+"+genesys%:raw"),
			"X-Api-Key":     sandbox.Marker + "-genesys-api-key", "Accept": "application/json",
		})
	}
}

// AllServices are their names.
func AllServices() []string { return []string{"pexip", "talkdesk", "qmatic", "genesys", "oauth2"} }

// WithForm sets or, with no values, removes parameters.
func (c Call) WithForm(t *testing.T, changes url.Values) Call {
	t.Helper()
	form, err := url.ParseQuery(c.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range changes {
		form[name] = values
		if len(values) == 0 {
			delete(form, name)
		}
	}
	c.Body = form.Encode()
	return c
}

// WithHeader sets one header.
func (c Call) WithHeader(name, value string) Call {
	c = c.Without(name)
	c.Header[name] = value
	return c
}

// As replaces the credentials, taken as they are.
func (c Call) As(id, secret string) Call { return c.WithHeader("Authorization", RawBasic(id, secret)) }

// Set sets one parameter of a body that has not got it twice.
func (c Call) Set(name, value string) Call {
	form, _ := url.ParseQuery(c.Body)
	form.Set(name, value)
	c.Body = form.Encode()
	return c
}

// Refusal is a row of RunRefusals: refusals are checked as status, body, and what was changed in a good request.
type Refusal = struct {
	Name   string
	Call   Call
	Status int
	Body   string // the JSON expected; empty for none
}

// RunRefusals sends each call, and between before it.
func RunRefusals(t *testing.T, s *sandbox.Server, between func(), rows []Refusal) {
	t.Helper()
	for _, row := range rows {
		between()
		got := Do(t, s, row.Call)
		if got.Status != row.Status {
			t.Errorf("%s: status %d, want %d", row.Name, got.Status, row.Status)
		}
		if strings.TrimSpace(got.Body) != row.Body {
			t.Errorf("%s: body %s\nwant %s", row.Name, got.Body, row.Body)
		}
		if got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: no Cache-Control: no-store", row.Name)
		}
	}
}

// AddFault posts a fault in JSON.
func AddFault(t *testing.T, s *sandbox.Server, body string) {
	t.Helper()
	got := Do(t, s, Call{Method: http.MethodPost, Path: "/_sandbox/faults", Body: body})
	if got.Status != http.StatusOK {
		t.Fatalf("fault %s: status %d, %s", body, got.Status, got.Body)
	}
}

// NewPassword is what passwords are changed to.
const NewPassword = "obviously-fake-new-password"

// PasswordChange is Genesys' change-password.
func PasswordChange(token string, data, more map[string]any) Call {
	body := map[string]any{}
	if data != nil {
		body["data"] = data
	}
	maps.Copy(body, more)
	b, _ := json.Marshal(body)
	c := GenesysCall("POST", "/change-password", token)
	c.Body, c.Header["Content-Type"] = string(b), "application/json"
	return c
}

// PasswordCall is Genesys' grant password.
func PasswordCall(t *testing.T) Call {
	t.Helper()
	return Good("genesys").WithForm(t, url.Values{
		"grant_type": {"password"}, "username": {`acme\jane`}, "password": {sandbox.Marker + "+jane's %pass:word"},
	})
}

// RefreshCall is the grant refresh_token.
func RefreshCall(t *testing.T, service, token string) Call {
	t.Helper()
	return Good(service).WithForm(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// GenesysCall is a request with a token and the API key.
func GenesysCall(method, path, token string) Call {
	c := Call{Method: method, Path: "/auth/v3" + path, Header: map[string]string{"X-Api-Key": GenesysAPIKey}}
	if token != "" {
		c.Header["Authorization"] = "bearer " + token
	}
	return c
}

// ClientToken is a token that a client has for itself.
func ClientToken(t *testing.T, s *sandbox.Server, service string) string {
	t.Helper()
	return Text(t, WantToken(t, Do(t, s, Good(service)))["access_token"])
}

// GenesysOK is the body of Genesys' ApiResponse for a success.
func GenesysOK(path string) string {
	return `{"data":{},"errors":[],"path":"/auth/v3` + path + `","status":{"code":0,"detail":{},"message":"OK"}}`
}

// What requests and replies hold.
const (
	FormType      = service.FormType
	Redacted      = service.Redacted
	GenesysAPIKey = sandbox.Marker + "-genesys-api-key"
)

// Asserted replaces a request's credentials by a client assertion.
func Asserted(c Call, assertion string) Call {
	return c.Without("Authorization").Set("client_assertion", assertion).
		Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
}

// ClaimsOf are those of a good assertion that lives a minute.
func ClaimsOf(client, aud, jti string, now int64) map[string]any {
	return map[string]any{"iss": client, "sub": client, "aud": aud, "jti": jti, "iat": now, "exp": now + 60}
}

// Change sets claims; nil removes one.
func Change(claims, changes map[string]any) map[string]any {
	out := maps.Clone(claims)
	for name, value := range changes {
		out[name] = value
		if value == nil {
			delete(out, name)
		}
	}
	return out
}

// PexipBase is what the paths of Pexip's realm begin with.
const PexipBase = "/realms/acme/protocol/openid-connect/"

// OAuth2Base is what the paths of the plain issuer begin with.
const OAuth2Base = "/openid/main/"

// JobToken is what a job of GitHub's gets for an audience.
func JobToken(t *testing.T, s *sandbox.Server, audience string) string {
	t.Helper()
	at := "/openid/jobs/github?api-version=2.0&audience=" + url.QueryEscape(audience)
	return Text(t, Do(t, s, Get(at).WithHeader("Authorization", "bearer "+sandbox.JobRequestToken)).Fields(t)["value"])
}

// ConnectionToken is what a job of Azure Pipelines gets for a service connection.
func ConnectionToken(t *testing.T, s *sandbox.Server, connection string) string {
	t.Helper()
	at := "/openid/jobs/azure?api-version=7.1&serviceConnectionId=" + url.QueryEscape(connection)
	call := Post(at, nil, map[string]string{"Authorization": "Bearer " + sandbox.JobRequestToken})
	return Text(t, Do(t, s, call).Fields(t)["oidcToken"])
}

// Jane is the one user of a service, with the password that is good now.
func Jane(_ *sandbox.Server, service string) Person {
	switch service {
	case "genesys":
		return Person{Tenant: sandbox.GenesysTenant, Username: sandbox.GenesysUser, Password: sandbox.GenesysPassword}
	case "oauth2":
		return Person{Username: sandbox.OAuth2User, Password: sandbox.OAuth2Password}
	}
	return Person{Username: sandbox.TalkdeskUser, Password: sandbox.TalkdeskPassword}
}

// OpenPage opens a sign-in page and returns it with the path it is at.
func OpenPage(
	t *testing.T, s *sandbox.Server, service string, changes url.Values,
) (page Result, action, session string) {
	t.Helper()
	first := Do(t, s, Get(AuthorizePath(service, changes)))
	at := first.Header.Get("Location")
	action, _, _ = strings.Cut(at, "?")
	if first.Status != 302 || first.Body != "" {
		t.Fatalf("status %d, %s", first.Status, first.Body)
	}
	page = Do(t, s, Get(at))
	return page, action, InputValue(page.Body, "session")
}
