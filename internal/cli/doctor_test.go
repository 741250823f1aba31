package cli

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
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
	"github.com/google/go-cmp/cmp"
)

// clinic is a service that the doctor looks at, and what the doctor is told.
type clinic struct {
	*httptest.Server
	asked atomic.Int32
	dir   string
	env   map[string]string
	now   func() time.Time
}

// newClinic serves TLS with a certificate of its own, which the configuration's only
// profile does not trust yet.
func newClinic(t *testing.T) *clinic {
	t.Helper()
	c := &clinic{dir: t.TempDir(), now: time.Now}
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

func (c *clinic) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// doctor runs the doctor online and returns the exit code and the checks of a section.
func (c *clinic) doctor(t *testing.T, section string, args ...string) (int, []check) {
	t.Helper()
	var out, stderr bytes.Buffer
	code := Main(t.Context(), verb.World{
		Args:    append([]string{"doctor", "--online", "-o", "json"}, args...),
		Streams: term.Streams{In: strings.NewReader(""), Out: &out, Err: &stderr},
		Now:     c.now,
		LookupEnv: func(name string) (string, bool) {
			value, ok := c.env[name]
			return value, ok
		},
	})
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
	if report.OK != (code == 0) || (stderr.Len() == 0) != (code == 0) {
		t.Errorf("exit code %d, ok %t, stderr %q", code, report.OK, &stderr)
	}
	found := []check{}
	for _, one := range report.Checks {
		if one.Section == section {
			found = append(found, one)
		}
	}
	return code, found
}

func TestDoctorSeesTheCertificate(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	code, found := c.doctor(t, sectionNetwork)
	if code != 3 || len(found) != 1 || !strings.Contains(found[0].Message, "its certificate is not trusted") {
		t.Errorf("without its issuer: exit code %d, %+v", code, found)
	}
	trust := []string{"--ca-file", filepath.Join(c.dir, "ca.pem")}
	code, found = c.doctor(t, sectionNetwork, trust...)
	until := c.Certificate().NotAfter
	if code != 0 || len(found) != 1 || found[0].State != stateOK ||
		!strings.Contains(found[0].Message, "TLS 1.3, certificate good until "+moment.Text(until)) {
		t.Errorf("with its issuer: exit code %d, %+v", code, found)
	}
	if c.asked.Load() != 1 {
		t.Errorf("the service was asked %d times, want once", c.asked.Load())
	}
	c.now = func() time.Time { return until.Add(-certificateWarning + time.Hour) }
	if _, found = c.doctor(t, sectionNetwork, trust...); len(found) != 1 || found[0].State != stateWarning {
		t.Errorf("13 days before its end: %+v", found)
	}
	if code, found = c.doctor(t, sectionNetwork, "--ca-file", "missing.pem"); code != 3 || len(found) != 1 {
		t.Errorf("without the issuer's file: exit code %d, %+v", code, found)
	}
}

func TestDoctorComparesClocks(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	for _, row := range []struct {
		off     time.Duration
		code    int
		state   string
		message string
	}{
		{0, 0, stateOK, "agree"},
		{40 * time.Second, 0, stateWarning, "ahead of the service's"},
		{-40 * time.Second, 0, stateWarning, "behind the service's"},
		{-10 * time.Minute, 3, stateFailed, "behind the service's"},
		{10 * time.Minute, 3, stateFailed, "ahead of the service's"},
	} {
		c.now = func() time.Time { return time.Now().Add(row.off) }
		code, found := c.doctor(t, sectionClock, "--ca-file", filepath.Join(c.dir, "ca.pem"))
		if code != row.code || len(found) != 1 || found[0].State != row.state ||
			!strings.Contains(found[0].Message, row.message) || (found[0].Hint == "") != (row.state == stateOK) {
			t.Errorf("%s off: exit code %d, %+v", row.off, code, found)
		}
	}
}

func TestDoctorWaitsForNoService(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	gone := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-gone }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(gone) })
	c.env["AUTHCTL_BASE_URL"] = silent.URL
	code, found := c.doctor(t, sectionNetwork, "--timeout", "1s")
	if code != 8 || len(found) != 1 || found[0].Message != "gave no answer within 1s; it has the token endpoint and the API" {
		t.Errorf("a silent service: exit code %d, %+v", code, found)
	}
	c.Close()
	c.env["AUTHCTL_BASE_URL"] = c.URL
	if code, found = c.doctor(t, sectionNetwork); code != 8 || !strings.Contains(found[0].Message, "cannot be reached") {
		t.Errorf("a service that is gone: exit code %d, %+v", code, found)
	}
}

func TestDoctorsVerdictIsWhatIsToBeMendedFirst(t *testing.T) {
	t.Parallel()
	for kinds, want := range map[string]string{
		"": "<nil>", "temporary": "temporary", "temporary store": "store", "store config temporary": "config",
		"internal": "internal", "internal temporary": "temporary", "protocol": "protocol", "temporary protocol": "protocol",
	} {
		e := &examination{}
		e.warn(check{kind: "config"})
		for kind := range strings.FieldsSeq(kinds) {
			e.note(stateFailed, check{kind: kind})
		}
		got := "<nil>"
		if err := e.verdict(); err != nil {
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
		var b strings.Builder
		(&app{verb.New(t.Context(), verb.World{}, nil, "")}).printCheck(&b, check{
			State: state, Name: "file", Message: path + ", mode 0600", Hint: "chmod 600 " + path,
		})
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestDoctorTellsTheKeyringsLimit(t *testing.T) {
	t.Parallel()
	e := &examination{}
	e.limit(&store.Keyring{MaxRecord: 2560})
	want := "an entry holds 2560 bytes; what is bigger is sealed into a file"
	if len(e.checks) != 1 || e.checks[0].State != stateOK || e.checks[0].Message != want {
		t.Errorf("%+v", e.checks)
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
	v := &visit{proxy: u, err: errors.New("dial tcp: lookup fake")}
	if _, message, _ := v.failure(time.Second); strings.Contains(message, "fake") {
		t.Errorf("a failure shows %q", message)
	}
}
