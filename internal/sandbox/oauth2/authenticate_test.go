package oauth2_test

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandbox/oauth2"
	"github.com/authctl/authctl/internal/sandbox/service"
	"github.com/authctl/authctl/internal/sandboxtest"
)

const base = sandboxtest.OAuth2Base

// world is a sandbox with the clients that know how to prove who they are.
type world struct {
	*testing.T
	s       *sandbox.Server
	clock   *sandboxtest.Clock
	serials atomic.Int64
}

func start(t *testing.T) *world {
	t.Helper()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	return &world{T: t, s: s, clock: c}
}

// issuer is its name.
func (w *world) issuer() string { return w.s.URL() + strings.TrimSuffix(base, "/") }

// serial is a number that was not used before.
func (w *world) serial() string { return strconv.FormatInt(w.serials.Add(1), 10) }

// client is a registered client.
func (w *world) client(id string) *service.Client {
	w.Helper()
	c := w.s.Service("oauth2").Client(id)
	if c == nil {
		w.Fatalf("no client %s", id)
	}
	return c
}

// clients are one of each method.
func clients() map[string]string {
	return map[string]string{
		"client_secret_basic": "sandbox-oauth2", "client_secret_post": "sandbox-oauth2-post",
		"client_secret_jwt": "sandbox-oauth2-secret-jwt", "private_key_jwt": "sandbox-oauth2-key",
		"none": "sandbox-oauth2-public", "tls_client_auth": "sandbox-oauth2-mtls",
		"self_signed_tls_client_auth": "sandbox-oauth2-mtls-self", "client_assertion": "sandbox-oauth2-federated",
	}
}

// as adds to a request how a client proves who it is.
func (w *world) as(method, id string, c sandboxtest.Call) sandboxtest.Call {
	w.Helper()
	client := w.client(id)
	claims := sandboxtest.ClaimsOf(id, w.issuer(), w.serial(), w.clock.Now().Unix())
	switch method {
	case "client_secret_basic":
		return c.WithHeader("Authorization", sandboxtest.FormBasic(id, client.Secret))
	case "client_secret_post":
		return c.Set("client_id", id).Set("client_secret", cmp.Or(client.Secret, "fake"))
	case "client_secret_jwt":
		return sandboxtest.Asserted(c, signHS256(cmp.Or(client.Secret, "fake"), claims))
	case "private_key_jwt":
		return sandboxtest.Asserted(c, w.signed(client.Key, claims))
	case "client_assertion":
		return sandboxtest.Asserted(c, w.jobToken(oauth2.FederatedAudience)).Set("client_id", id)
	}
	return c.Set("client_id", id)
}

func (w *world) signed(by service.Signer, claims map[string]any) string {
	w.Helper()
	return sandboxtest.SignES256(w.T, by, map[string]any{"alg": "ES256", "kid": by.KeyID}, claims)
}

// signHS256 signs as RFC 7518 §3.2 has it, without the library the sandbox uses.
func signHS256(secret string, claims map[string]any) string {
	body, _ := json.Marshal(claims)
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// jobToken asks as a job of GitHub does.
func (w *world) jobToken(audience string) string {
	w.Helper()
	return sandboxtest.JobToken(w.T, w.s, audience)
}

func (w *world) do(c sandboxtest.Call) sandboxtest.Result {
	w.Helper()
	return sandboxtest.Do(w.T, w.s, c)
}

// send sends a request the way a client of the method does: who has a certificate shows it at the TLS port.
func (w *world) send(id string, c sandboxtest.Call) sandboxtest.Result {
	w.Helper()
	shown := w.client(id).Certificate
	if shown.Leaf == nil {
		return w.do(c)
	}
	return w.showing(&shown, c)
}

// showing sends a request to the TLS port, with a certificate or without.
func (w *world) showing(shown *service.Certificate, c sandboxtest.Call) sandboxtest.Result {
	w.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(w.s.CA()))
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if shown != nil {
		config.Certificates = []tls.Certificate{{Certificate: [][]byte{shown.Leaf.Raw}, PrivateKey: shown.Key}}
	}
	req, err := http.NewRequestWithContext(w.Context(), c.Method, w.s.SecureURL()+c.Path, strings.NewReader(c.Body))
	if err != nil {
		w.Fatal(err)
	}
	for name, value := range c.Header {
		req.Header.Set(name, value)
	}
	resp, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}).Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return sandboxtest.Result{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}
}

// tokenCall is a token request without a client.
func tokenCall(form url.Values) sandboxtest.Call { return sandboxtest.Post(base+"token", form, nil) }

func clientCredentials() sandboxtest.Call {
	return tokenCall(url.Values{"grant_type": {"client_credentials"}})
}

// want checks a refusal.
func (w *world) want(name string, got sandboxtest.Result, status int, code, about string) {
	w.Helper()
	fields := got.Fields(w.T)
	said, _ := fields["error_description"].(string)
	if got.Status != status || fields["error"] != code || !strings.Contains(said, about) {
		w.Errorf("%s: status %d, %s, want %d %s %q", name, got.Status, got.Body, status, code, about)
	}
}

func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	w := start(t)
	for method, id := range clients() {
		got := w.send(id, w.as(method, id, clientCredentials()))
		if method == "none" {
			w.want(method, got, 400, "unauthorized_client", "client_credentials")
			continue
		}
		fields := sandboxtest.WantToken(t, got)
		_, claims := w.verify(sandboxtest.Text(t, fields["access_token"]))
		if claims["client_id"] != id || claims["sub"] != id {
			t.Errorf("%s: claims %v", method, claims)
		}
		bound, _ := claims["cnf"].(map[string]any)
		if (bound["x5t#S256"] != nil) != strings.HasSuffix(method, "tls_client_auth") {
			t.Errorf("%s: cnf %v", method, bound)
		}
		if leaf := w.client(id).Certificate.Leaf; leaf != nil {
			sum := sha256.Sum256(leaf.Raw)
			if bound["x5t#S256"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
				t.Errorf("%s: the thumbprint is %v", method, bound)
			}
		}
	}
}

// Whatever a client proves, another method than its own is refused.
func TestOtherMethod(t *testing.T) {
	t.Parallel()
	w := start(t)
	for registered, id := range clients() {
		for _, method := range []string{
			"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "client_assertion", "none",
		} {
			if method == registered || method == "private_key_jwt" && w.client(id).Key.Key == nil {
				continue
			}
			got := w.do(w.as(method, id, clientCredentials()))
			if code := got.Fields(t)["error"]; got.Status != 401 || code != "invalid_client" {
				t.Errorf("%s for %s: status %d, %s", method, registered, got.Status, got.Body)
			}
		}
	}
	two := w.as("client_secret_basic", "sandbox-oauth2", clientCredentials())
	two = w.as("client_secret_post", "sandbox-oauth2", two)
	w.want("two ways", w.do(two), 400, "invalid_request", "more than one way")
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	w := start(t)
	issued, own := w.client("sandbox-oauth2-mtls"), w.client("sandbox-oauth2-mtls-self")
	foreign := service.NewAuthority().Client("sandbox-oauth2-mtls")
	for name, row := range map[string]struct {
		id    string
		shown *service.Certificate
		about string
	}{
		"none, issued":      {issued.ID, nil, "failed"},
		"none, self-signed": {own.ID, nil, "failed"},
		"foreign authority": {issued.ID, &foreign, "authority"},
		"self-signed":       {issued.ID, &own.Certificate, "authority"},
		"another's":         {own.ID, &issued.Certificate, "registered"},
	} {
		got := w.showing(row.shown, w.as("none", row.id, clientCredentials()))
		w.want(name, got, 401, "invalid_client", row.about)
	}
	// At the plain port there is none to show.
	w.want("plain", w.do(w.as("none", issued.ID, clientCredentials())), 401, "invalid_client", "")
	// Who is registered otherwise may be at the TLS port too, and is not bound.
	fields := sandboxtest.WantToken(t, w.showing(&issued.Certificate, w.as("client_secret_basic", "sandbox-oauth2", clientCredentials())))
	if _, claims := w.verify(sandboxtest.Text(t, fields["access_token"])); claims["cnf"] != nil || claims["iss"] != w.issuer() {
		t.Errorf("claims %v", claims)
	}
}

func TestAssertions(t *testing.T) {
	t.Parallel()
	w := start(t)
	now := w.clock.Now().Unix()
	key := w.client("sandbox-oauth2-key")
	good := sandboxtest.ClaimsOf(key.ID, w.issuer()+"/token", "once", now)
	for name, row := range map[string]struct {
		assertion, about string
	}{
		"no exp":      {w.signed(key.Key, sandboxtest.Change(good, map[string]any{"exp": nil})), "exp"},
		"expired":     {w.signed(key.Key, sandboxtest.Change(good, map[string]any{"exp": now - 60})), "not active"},
		"no jti":      {w.signed(key.Key, sandboxtest.Change(good, map[string]any{"jti": nil})), "ID"},
		"other aud":   {w.signed(key.Key, sandboxtest.Change(good, map[string]any{"aud": "https://id.example"})), "audience"},
		"too long":    {w.signed(key.Key, sandboxtest.Change(good, map[string]any{"exp": now + 3600})), "future"},
		"foreign key": {w.signed(w.client("sandbox-oauth2-jwt").Key, good), "Signature"},
		"by secret":   {signHS256("x", good), "Signature"},
		"no JWT":      {"x", "Invalid"},
	} {
		got := w.do(sandboxtest.Asserted(clientCredentials(), row.assertion))
		w.want(name, got, 401, "invalid_client", row.about)
	}
	once := sandboxtest.Asserted(clientCredentials(), w.signed(key.Key, good))
	sandboxtest.WantToken(t, w.do(once))
	w.want("twice", w.do(once), 401, "invalid_client", "reuse")
	alias := sandboxtest.Change(good, map[string]any{"aud": w.s.SecureURL() + base + "token", "jti": "alias"})
	sandboxtest.WantToken(t, w.showing(nil, sandboxtest.Asserted(clientCredentials(), w.signed(key.Key, alias))))
}

func TestFederated(t *testing.T) {
	t.Parallel()
	w := start(t)
	const id = "sandbox-oauth2-federated"
	call := clientCredentials().Set("client_id", id)
	for name, row := range map[string]struct {
		call  sandboxtest.Call
		about string
	}{
		"for another":  {sandboxtest.Asserted(call, w.jobToken("https://github.com/acme")), "somebody else"},
		"other client": {sandboxtest.Asserted(call, w.jobToken(oauth2.FederatedAudience)).Set("client_id", "sandbox-oauth2"), "vouches"},
		"no client":    {sandboxtest.Asserted(clientCredentials(), w.jobToken(oauth2.FederatedAudience)), "vouches"},
		"forged": {sandboxtest.Asserted(call, w.signed(w.client("sandbox-oauth2-key").Key, map[string]any{
			"iss": w.s.URL() + "/openid/jobs", "sub": "repo:acme/widgets:ref:refs/heads/main",
			"aud": oauth2.FederatedAudience, "exp": w.clock.Now().Unix() + 60,
		})), "not from an issuer"},
	} {
		w.want(name, w.do(row.call), 401, "invalid_client", row.about)
	}
	late := w.as("client_assertion", id, clientCredentials())
	sandboxtest.WantToken(t, w.do(late))
	sandboxtest.WantToken(t, w.do(late)) // one in a file comes again and again
	w.clock.Advance(6 * 60e9)
	w.want("expired", w.do(late), 401, "invalid_client", "expired")
}
