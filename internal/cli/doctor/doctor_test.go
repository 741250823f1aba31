package doctor

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
	"github.com/google/go-cmp/cmp"
)

// service is one that the doctor looks at, and what the doctor is told.
type service struct {
	*httptest.Server
	asked atomic.Int32
	dir   string
	env   map[string]string
	now   func() time.Time
}

// newService serves TLS with a certificate of its own, which the configuration's only
// profile does not trust yet.
func newService(t *testing.T) *service {
	t.Helper()
	c := &service{dir: t.TempDir(), now: time.Now}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		if r.Method != http.MethodHead || r.Header.Get("Authorization") != "" || r.URL.RequestURI() != "/" {
			t.Errorf("the service got %s %s, authorized %t", r.Method, r.URL, r.Header.Get("Authorization") != "")
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
	}))
	c.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.StartTLS()
	t.Cleanup(c.Close)
	c.write(t, "config.yaml", "profiles:\n  calls:\n    provider: talkdesk\n    account: acme\n    client_id: abc\n"+
		"    client_secret: env:FAKE_SECRET\n    base_url: "+c.URL+"\n")
	c.write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate().Raw})))
	c.env = map[string]string{
		"HOME": c.dir, "AUTHCTL_CONFIG": filepath.Join(c.dir, "config.yaml"), "AUTHCTL_STORE": "memory",
		"AUTHCTL_RUNTIME_DIR": filepath.Join(c.dir, "run"), "FAKE_SECRET": "obviously-fake-secret",
	}
	return c
}

func (c *service) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// deps is a run of the program with what the doctor is told.
func (c *service) deps(t *testing.T, out, stderr io.Writer) *verb.Deps {
	t.Helper()
	deps := verb.New(t.Context(), verb.World{
		Streams: term.Streams{In: strings.NewReader(""), Out: out, Err: stderr},
		Now:     c.now,
		LookupEnv: func(name string) (string, bool) {
			value, ok := c.env[name]
			return value, ok
		},
	}, builtin.Services(), "test")
	deps.Global.Color = "auto"
	return deps
}

// doctor runs the doctor online and returns the kind of its error, empty for none, and the
// checks of a section.
func (c *service) doctor(t *testing.T, section string, args ...string) (string, []check) {
	t.Helper()
	var out, stderr bytes.Buffer
	deps := c.deps(t, &out, &stderr)
	command := Command(deps)
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetArgs(append([]string{"--online", "-o", "json"}, args...))
	kind := ""
	if err := command.ExecuteContext(t.Context()); err != nil {
		kind, _ = verb.Judge(err)
	}
	if strings.Contains(out.String()+stderr.String(), "obviously-fake-secret") {
		t.Error("the secret is shown")
	}
	var report struct {
		Checks []check `json:"checks"`
		OK     bool    `json:"ok"`
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v: %s%s", err, &out, &stderr)
	}
	if report.OK != (kind == "") || stderr.Len() > 0 {
		t.Errorf("kind %q, ok %t, stderr %q", kind, report.OK, &stderr)
	}
	found := []check{}
	for _, one := range report.Checks {
		if one.Section == section {
			found = append(found, one)
		}
	}
	return kind, found
}

func TestDoctorSeesTheCertificate(t *testing.T) {
	t.Parallel()
	c := newService(t)
	kind, found := c.doctor(t, "network")
	if kind != "config" || len(found) != 1 || !strings.Contains(found[0].Message, "its certificate is not trusted") {
		t.Errorf("without its issuer: kind %q, %+v", kind, found)
	}
	trust := []string{"--ca-file", filepath.Join(c.dir, "ca.pem")}
	kind, found = c.doctor(t, "network", trust...)
	until := c.Certificate().NotAfter
	if kind != "" || len(found) != 1 || found[0].State != stateOK ||
		!strings.Contains(found[0].Message, "TLS 1.3, certificate good until "+moment.Text(until)) {
		t.Errorf("with its issuer: kind %q, %+v", kind, found)
	}
	if c.asked.Load() != 1 {
		t.Errorf("the service was asked %d times, want once", c.asked.Load())
	}
	c.now = func() time.Time { return until.Add(-certificateWarning + time.Hour) }
	if _, found = c.doctor(t, "network", trust...); len(found) != 1 || found[0].State != stateWarning {
		t.Errorf("13 days before its end: %+v", found)
	}
	if kind, found = c.doctor(t, "network", "--ca-file", "missing.pem"); kind != "config" || len(found) != 1 {
		t.Errorf("without the issuer's file: kind %q, %+v", kind, found)
	}
}

func TestDoctorComparesClocks(t *testing.T) {
	t.Parallel()
	c := newService(t)
	for _, row := range []struct {
		off     time.Duration
		kind    string
		state   string
		message string
	}{
		{0, "", stateOK, "agree"},
		{40 * time.Second, "", stateWarning, "ahead of the service's"},
		{-40 * time.Second, "", stateWarning, "behind the service's"},
		{-10 * time.Minute, "config", stateFailed, "behind the service's"},
		{10 * time.Minute, "config", stateFailed, "ahead of the service's"},
	} {
		c.now = func() time.Time { return time.Now().Add(row.off) }
		kind, found := c.doctor(t, "clock", "--ca-file", filepath.Join(c.dir, "ca.pem"))
		if kind != row.kind || len(found) != 1 || found[0].State != row.state ||
			!strings.Contains(found[0].Message, row.message) || (found[0].Hint == "") != (row.state == stateOK) {
			t.Errorf("%s off: kind %q, %+v", row.off, kind, found)
		}
	}
}

func TestDoctorWaitsForNoService(t *testing.T) {
	t.Parallel()
	c := newService(t)
	gone := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-gone }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(gone) })
	c.env["AUTHCTL_BASE_URL"] = silent.URL
	kind, found := c.doctor(t, "network", "--timeout", "1s")
	if kind != "temporary" || len(found) != 1 || found[0].Message != "gave no answer within 1s; it has the token endpoint and the API" {
		t.Errorf("a silent service: kind %q, %+v", kind, found)
	}
	c.Close()
	c.env["AUTHCTL_BASE_URL"] = c.URL
	if kind, found = c.doctor(t, "network"); kind != "temporary" || !strings.Contains(found[0].Message, "cannot be reached") {
		t.Errorf("a service that is gone: kind %q, %+v", kind, found)
	}
}

func TestDoctorsVerdictIsWhatIsToBeMendedFirst(t *testing.T) {
	t.Parallel()
	for kinds, want := range map[string]string{
		"": "<nil>", "temporary": "temporary", "temporary store": "store", "store config temporary": "config",
		"internal": "internal", "internal temporary": "temporary", "protocol": "protocol", "temporary protocol": "protocol",
	} {
		d := &doctor{}
		d.warn(check{kind: "config"})
		for kind := range strings.FieldsSeq(kinds) {
			d.note(stateFailed, check{kind: kind})
		}
		got := "<nil>"
		if err := d.verdict(); err != nil {
			got, _ = verb.Judge(err)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", kinds, got, want)
		}
	}
}

func TestDoctorKeepsPathsWhole(t *testing.T) {
	t.Parallel()
	path := "/a" + strings.Repeat("/long-path", 9)
	for state, want := range map[string]string{
		stateOK:      "  ok       file:\n" + path + ",\n           mode 0600\n           → chmod 600\n" + path + "\n",
		stateWarning: "  warning  file:\n" + path + ",\n           mode 0600\n           → chmod 600\n" + path + "\n",
	} {
		ui := verb.New(t.Context(), verb.World{}, nil, "").UI
		got := check{State: state, Name: "file", Message: path + ", mode 0600", Hint: "chmod 600 " + path}.text(ui)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestDoctorTellsTheKeyringsLimit(t *testing.T) {
	t.Parallel()
	d := &storeChecks{doctor: &doctor{}}
	d.limit(&store.Keyring{MaxRecord: 2560})
	want := "an entry holds 2560 bytes; what is bigger is sealed into a file"
	if len(d.checks) != 1 || d.checks[0].State != stateOK || d.checks[0].Message != want {
		t.Errorf("%+v", d.checks)
	}
}

func TestProxyProblem(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"http://proxy.example:3128": "", "proxy.example:3128": "", "proxy.example": "", "http://u:p%25ss@proxy.example:1/": "",
		"socks5://127.0.0.1:1080": "", "[::1]:3128": "",
		"http://u:pa%ss@p:1": "cannot be read", "http://u:p@ss:word%": "cannot be read", "p:%": "cannot be read",
		"http://u:pa/ss@p:1": "not scheme", "http://u:1/ss@p:1": "not scheme", "http://u:1?ss@p:1": "not scheme",
		"http://u:1#ss@p:1": "not scheme", "http://u:p ss@p:1": "not scheme", "http://[::1": "not scheme", "http://p:port": "not scheme",
	} {
		got := proxyProblem(value)
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

func TestProxyIsShownWithoutCredentials(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"http://fake-user:fake-password@p:1": "the proxy http://p:1", "http://fake:1/fake@p:1": "a proxy that is not shown",
	} {
		u, err := url.Parse(value)
		if err != nil {
			t.Fatal(err)
		}
		if got := network.ShownProxy(u, ""); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
	u, _ := url.Parse("http://fake:1/fake@p:1")
	h := &host{proxy: u, err: errors.New("dial tcp: lookup fake")}
	if _, message, _ := h.failure(time.Second); strings.Contains(message, "fake") {
		t.Errorf("a failure shows %q", message)
	}
}
