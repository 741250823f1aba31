//go:build unix

package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shownRequest is a request that a page shows: a block of the language http behind the mark "dry run", which names the
// command. The profile is of the last configuration before it.
type shownRequest struct {
	block
	command, config string
}

// requests returns the requests that a page shows.
func (p page) requests(t *testing.T) []shownRequest {
	t.Helper()
	var list []shownRequest
	config := ""
	for _, b := range p.blocks {
		if b.language == "yaml" {
			if text, ok := asConfiguration(t, b.text); ok {
				config = text
			}
		}
		commands := b.mark("dry run")
		if (b.language == "http") != (len(commands) == 1) {
			t.Errorf("%s: a request of the language http has the mark dry run, and nothing else has", b.where)
		} else if len(commands) == 1 {
			list = append(list, shownRequest{b, commands[0], config})
		}
	}
	return list
}

// TestDocumentedRequests: what a page shows as the request of a profile is what the program prints in a dry run, with
// secrets and keys that are made here. UPDATE_GOLDEN=1 writes the pages anew.
func TestDocumentedRequests(t *testing.T) {
	t.Parallel()
	keys := newFakeKeys(t)
	for _, page := range pages(t) {
		t.Run(page.name, func(t *testing.T) {
			t.Parallel()
			printed := map[string]string{}
			for _, r := range page.requests(t) {
				got := keys.dryRun(t, r)
				if diff := cmp.Diff(r.text, got); diff != "" && os.Getenv("UPDATE_GOLDEN") == "" {
					t.Errorf("%s: authctl %s --dry-run (-page +program):\n%s", r.where, r.command, diff)
				}
				printed[r.where] = got
			}
			if os.Getenv("UPDATE_GOLDEN") != "" && len(printed) > 0 {
				page.rewrite(t, printed)
			}
		})
	}
}

// dryRun runs the command in a place with the configuration of the page and returns what it prints, but for what
// differs from run to run.
func (k *fakeKeys) dryRun(t *testing.T, r shownRequest) string {
	t.Helper()
	p := newPlace(t)
	p.configure(k.supply(t, p, r.config))
	o := p.run(append(strings.Fields(r.command), "--dry-run")...)
	const more = "authctl: where the next request goes is in the answer to this one\n"
	if o.code != 0 || strings.TrimPrefix(o.stderr, more) != "" || p.asked() > 0 {
		t.Errorf("%s: authctl %s --dry-run: exit code %d: %s", r.where, r.command, o.code, o.stderr)
	}
	p.wantSilent(o.stdout)
	return steady(o.stdout)
}

// steady has an ellipsis in the place of what is new each time.
func steady(request string) string {
	for pattern, to := range map[string]string{
		`secret [0-9a-f]{6}\]`:                              "secret …]",
		`(?m)^User-Agent: authctl/.*$`:                      "User-Agent: authctl/…",
		`"(exp|iat|nbf)":[0-9]+`:                            `"$1":…`,
		`"(jti|x5t#S256)":"[^"]+"`:                          `"$1":"…"`,
		`good until [^,]+, x5t#S256 [\w-]+`:                 "good until …, x5t#S256 …",
		`(\b(?:state|nonce|code_challenge)=)[A-Za-z0-9_-]+`: "$1…",
	} {
		request = regexp.MustCompile(pattern).ReplaceAllString(request, to)
	}
	return request
}

// rewrite writes the page with what the program printed.
func (p page) rewrite(t *testing.T, printed map[string]string) {
	t.Helper()
	path := filepath.Join(root, p.name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(p.with(string(text), printed)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// with is the page's text with other blocks, by where they begin.
func (p page) with(text string, blocks map[string]string) string {
	var out []string
	inside := false
	for i, line := range strings.Split(text, "\n") {
		if inside && strings.TrimSpace(line) == "```" {
			inside = false
		}
		if !inside {
			out = append(out, line)
		}
		if block, ok := blocks[fmt.Sprintf("%s:%d", p.name, i+1)]; ok {
			out, inside = append(out, strings.TrimSuffix(block, "\n")), true
		}
	}
	return strings.Join(out, "\n")
}

// fakeKeys are what the profiles of the pages refer to: made here, and nobody's.
type fakeKeys struct{ key, certificate, token string }

func newFakeKeys(t *testing.T) *fakeKeys {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fake"}, NotAfter: time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return &fakeKeys{
		key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		token:       part(`{"alg":"RS256","typ":"JWT"}`) + "." + part(`{"sub":"fake"}`) + "." + part("fake-signature"),
	}
}

// of is what a setting's reference leads to.
func (k *fakeKeys) of(setting string) string {
	switch setting {
	case "private_key", "tls_key":
		return k.key
	case "tls_certificate":
		return k.certificate
	case "client_assertion", "subject_token", "actor_token":
		return k.token
	}
	return "fake-" + setting
}

// supply makes the variables and files that a configuration refers to, and returns it with absolute paths moved into
// the place.
func (k *fakeKeys) supply(t *testing.T, p *place, config string) string {
	t.Helper()
	config = strings.ReplaceAll(config, "file:/", "file:"+p.path("")+"/")
	reference := regexp.MustCompile(`([\w-]+): ["']?(env|file):([^\s"',}\]]+)`)
	for _, found := range reference.FindAllStringSubmatch(config, -1) {
		value := k.of(found[1])
		p.hidden = append(p.hidden, value)
		if found[2] == "env" {
			p.set(found[3] + "=" + value)
			continue
		}
		path := found[3]
		if !filepath.IsAbs(path) {
			path = p.path(path)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

// TestStaleRequestIsFound: a request that is not the program's is seen, and written anew.
func TestStaleRequestIsFound(t *testing.T) {
	t.Parallel()
	const fence = "```"
	profile := "calls: {provider: talkdesk, account: acme, client_id: abc, client_secret: 'file:/run/secret'}\n"
	before := fence + "yaml\n" + profile + fence + "\n\n<!-- dry run: token get calls -->\n" + fence + "http\n"
	after := fence + "\nB\n"
	shown := readPage("x.md", before+"old\nlines\n"+after)
	list := shown.requests(t)
	if len(list) != 1 || list[0].command != "token get calls" || !strings.Contains(list[0].config, "\n  calls: {") {
		t.Fatalf("the page is read as %+v", list)
	}
	got := newFakeKeys(t).dryRun(t, list[0])
	want := []string{
		"POST https://acme.talkdeskid.com/oauth/token", "Accept: application/json",
		"Authorization: Basic [id abc, secret …]", "Content-Type: application/x-www-form-urlencoded",
		"User-Agent: authctl/…", "", "grant_type=client_credentials", "",
	}
	if !slices.Equal(strings.Split(got, "\n"), want) {
		t.Errorf("the program prints %q", got)
	}
	anew := shown.with(before+"old\nlines\n"+after, map[string]string{list[0].where: got})
	if anew != before+got+after {
		t.Errorf("the page is written anew as %q", anew)
	}
}
