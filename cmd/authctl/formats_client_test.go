//go:build unix

package main

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/testneed"
)

// callee is a server that answers who bears a token, and remembers the headers of all who came.
type callee struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func newCallee(t *testing.T, start func(http.Handler) *httptest.Server) *callee {
	t.Helper()
	c := &callee{}
	c.Server = start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.seen = append(c.seen, r.Header.Get("Authorization"))
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"paths":["/fake"]}`))
	}))
	t.Cleanup(c.Close)
	return c
}

// last returns the header of the last request.
func (c *callee) last() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) == 0 {
		return ""
	}
	return c.seen[len(c.seen)-1]
}

func TestCurlSendsAnyToken(t *testing.T) {
	t.Parallel()
	sh, _ := testneed.Program(t, "sh"), testneed.Program(t, "curl")
	p := newPlace(t)
	const script = `authctl token get "$1" -o curl | curl -q -sS --fail --noproxy '*' -K - "$2"`
	c := newCallee(t, httptest.NewServer)
	for _, token := range append(hostileTokens(), plainTokens()...) {
		p.issues(token)
		o := p.program(sh, "-c", script, "-", "pexip", c.URL)
		if o.code != 0 || o.stderr != "" || c.last() != "Bearer "+token {
			t.Errorf("token %q: exit code %d, stderr %q; the server saw %q", token, o.code, o.stderr, c.last())
		}
	}
	// With its own token the service itself lets curl in.
	p.server.ClearFaults()
	o := p.program(sh, "-c", script, "-", "pexip-openid", p.server.URL()+"/realms/acme/protocol/openid-connect/userinfo")
	if o.code != 0 || !strings.Contains(o.stdout, `"sub"`) {
		t.Errorf("asking the service who it is: exit code %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
}

// kubeconfig writes a kubeconfig whose user's token comes from authctl.
func (p *place) kubeconfig(c *callee, apiVersion string) string {
	p.t.Helper()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate().Raw})
	path := p.path("kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: fake, cluster: {server: %q, certificate-authority-data: %s}}]
contexts: [{name: fake, context: {cluster: fake, user: fake}}]
current-context: fake
users:
- name: fake
  user:
    exec:
      apiVersion: client.authentication.k8s.io/%s
      command: %q
      args: [token, get, pexip, -o, exec-credential]
      interactiveMode: Never
`, c.URL, base64.StdEncoding.EncodeToString(certificate), apiVersion, binary(p.t))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// kubectlMinor returns the minor version of the kubectl at hand: v1 is known from 22 on, v1alpha1 is gone with 24.
func kubectlMinor(t *testing.T, p *place, kubectl string) int {
	t.Helper()
	var version struct {
		ClientVersion struct{ Minor string }
	}
	o := p.program(kubectl, "version", "--client", "-o", "json")
	if err := json.Unmarshal([]byte(o.stdout), &version); err != nil {
		t.Fatalf("kubectl's version: %v; stderr %q", err, o.stderr)
	}
	minor, err := strconv.Atoi(strings.TrimRight(version.ClientVersion.Minor, "+"))
	if err != nil {
		t.Fatal(err)
	}
	return minor
}

func TestKubectlTakesAnyToken(t *testing.T) {
	t.Parallel()
	kubectl := testneed.Program(t, "kubectl")
	p := newPlace(t)
	p.set("NO_PROXY=*", "KUBECONFIG=")
	c := newCallee(t, httptest.NewTLSServer)
	versions := []string{"v1beta1"}
	if minor := kubectlMinor(t, p, kubectl); minor >= 22 {
		versions = append(versions, "v1")
	}
	for _, version := range versions {
		config := p.kubeconfig(c, version)
		for _, token := range append(hostileTokens(), plainTokens()...) {
			p.issues(token)
			o := p.program(kubectl, "--kubeconfig", config, "get", "--raw", "/")
			if o.code != 0 || c.last() != "Bearer "+token || !strings.Contains(o.stdout, "/fake") {
				t.Errorf("%s, token %q: exit code %d, stderr %q; the server saw %q", version, token, o.code, o.stderr, c.last())
			}
			wantSilence(t, token, o)
		}
	}
}

// TestExecCredentialIsAsPublished: what a plugin answers, see
// https://kubernetes.io/docs/reference/config-api/client-authentication.v1/.
func TestExecCredentialIsAsPublished(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	type credential struct {
		APIVersion, Kind string
		Spec             *struct{}
		Status           struct {
			Token               string
			ExpirationTimestamp *time.Time
		}
	}
	ask := func(info string) credential {
		var got credential
		p.set("KUBERNETES_EXEC_INFO=" + info)
		o := p.run("token", "get", "pexip", "-q", "-o", "exec-credential")
		if err := json.Unmarshal([]byte(o.stdout), &got); err != nil || o.stderr != "" {
			t.Fatalf("exit code %d, stderr %q: %v", o.code, o.stderr, err)
		}
		return got
	}
	token := hostileTokens()[0]
	p.issues(token)
	got := ask("")
	if got.APIVersion != "client.authentication.k8s.io/v1" || got.Kind != "ExecCredential" || got.Spec == nil ||
		got.Status.Token != token || got.Status.ExpirationTimestamp == nil || time.Until(*got.Status.ExpirationTimestamp) <= 0 {
		t.Errorf("got %+v", got)
	}
	beta := ask(`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":false}}`)
	if beta.APIVersion != "client.authentication.k8s.io/v1beta1" {
		t.Errorf("apiVersion %s, want what was asked for", beta.APIVersion)
	}
	p.issues(token, sandbox.Fault{Service: "pexip", ExpiresIn: json.RawMessage(`"missing"`)})
	if endless := ask(""); endless.Status.ExpirationTimestamp != nil {
		t.Errorf("a token without a lifetime expires %v", endless.Status.ExpirationTimestamp)
	}
}
