package oauth

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ErrDryRun is what a Client's methods return when DryRun took the request.
var ErrDryRun = errors.New("dry run: nothing was sent")

// DryRun is an http.RoundTripper that sends nothing: it keeps the requests and
// answers ErrDryRun. The zero value is ready to use.
type DryRun struct {
	mu   sync.Mutex
	kept []*http.Request
}

// RoundTrip keeps req and returns ErrDryRun; see http.RoundTripper.
func (d *DryRun) RoundTrip(req *http.Request) (*http.Response, error) {
	kept := req.Clone(req.Context())
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		_ = req.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("reading the request's body: %w", err)
		}
		kept.Body = io.NopCloser(bytes.NewReader(body))
		kept.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept = append(d.kept, kept)
	return nil, ErrDryRun
}

// Requests returns what would have been sent, in that order. They hold secrets: show
// them with WriteRequest.
func (d *DryRun) Requests() []*http.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.kept)
}

// WriteRequest writes a request as text: method and URL, the headers sorted, an
// empty line, and one decoded form parameter a line or the JSON body on one. A
// secret is shown as [secret 3f9a21], a fingerprint that is the same wherever secret,
// client and token endpoint are the same, so that two people with one profile can
// compare. A person's password has none: it is weak enough to be guessed. A client
// assertion, which differs each time, is shown as its header and claims. Errors are those
// of w and of the request's body.
func WriteRequest(w io.Writer, req *http.Request, of Fingerprints) error {
	known, _ := req.Context().Value(sensitiveKey{}).(sensitive)
	return printer{known, of.of, of.Unfetched}.write(w, req)
}

// Fingerprints are those of one client: another client's are other ones, so that no
// table of guesses fits two.
type Fingerprints struct {
	ClientID, TokenURL string
	// Unfetched says of what stands for a secret why that could not be fetched; it is
	// shown in the place of a fingerprint.
	Unfetched map[string]string
}

// printer shows one request.
type printer struct {
	known  sensitive
	digest func(string) string
	// unfetched is Fingerprints.Unfetched.
	unfetched map[string]string
}

func (p printer) write(w io.Writer, req *http.Request) error {
	var b strings.Builder
	b.WriteString(req.Method + " " + printable(req.URL.Scheme+"://"+req.URL.Host+req.URL.EscapedPath()))
	if q := req.URL.Query(); len(q) > 0 {
		b.WriteString("?" + strings.Join(p.params(q), "&"))
	}
	b.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, p.headerText(name, value))
		}
	}
	if err := p.writeBody(&b, req); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p printer) writeBody(b *strings.Builder, req *http.Request) error {
	if req.GetBody == nil {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return fmt.Errorf("reading the request's body: %w", err)
	}
	defer func() { _ = body.Close() }()
	text, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("reading the request's body: %w", err)
	}
	if len(text) == 0 {
		return nil
	}
	b.WriteString("\n")
	if line, ok := p.jsonText(text); ok {
		b.WriteString(line + "\n")
		return nil
	}
	form, err := url.ParseQuery(string(text))
	if err != nil || req.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		fmt.Fprintf(b, "[%d bytes, withheld]\n", len(text))
		return nil
	}
	for _, line := range p.params(form) {
		b.WriteString(line + "\n")
	}
	return nil
}

// jsonText shows a JSON body that says itself which of its members are secret.
func (p printer) jsonText(body []byte) (string, bool) {
	if p.known.member == nil {
		return "", false
	}
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&members) != nil {
		return "", false
	}
	p.hideMembers("", members)
	line, err := encodeJSON(members)
	return printable(string(line)), err == nil
}

// hideMembers puts fingerprints in the place of secrets.
func (p printer) hideMembers(path string, members map[string]any) {
	for name, value := range members {
		at := memberPath(path, name)
		switch v := value.(type) {
		case map[string]any:
			p.hideMembers(at, v)
		case string:
			if p.known.member[at] || soundsSecret(name) {
				members[name] = p.namedText(name, v)
			}
		}
	}
}

// params are the parameters as name=value, sorted by name.
func (p printer) params(values url.Values) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			lines = append(lines, printable(name)+"="+p.paramText(name, value))
		}
	}
	return lines
}

func (p printer) paramText(name, value string) string {
	if !p.known.param[name] && !soundsSecret(name) {
		return printable(value)
	}
	if name == "client_assertion" {
		if text, ok := assertionText(value); ok {
			return text
		}
	}
	return p.namedText(name, value)
}

// namedText shows a secret that has a name.
func (p printer) namedText(name, value string) string {
	if strings.Contains(strings.ToLower(name), "password") {
		if why, ok := p.unfetched[value]; ok {
			return "[password not fetched: " + printable(why) + "]"
		}
		return "[password]"
	}
	return p.secretText(value)
}

func (p printer) headerText(name, value string) string {
	if !p.known.header[name] && !soundsSecret(name) {
		return printable(value)
	}
	scheme, rest, ok := strings.Cut(value, " ")
	switch {
	case ok && strings.EqualFold(scheme, "Basic"):
		return scheme + " " + p.basicText(rest)
	case ok && strings.EqualFold(scheme, "Bearer"):
		return scheme + " " + p.secretText(rest)
	}
	return p.secretText(value)
}

// basicText shows the id of Basic credentials, and of the secret the fingerprint
// that it has in any encoding.
func (p printer) basicText(value string) string {
	decoded, err := base64.StdEncoding.DecodeString(value)
	id, secret, ok := strings.Cut(string(decoded), ":")
	if err != nil || !ok {
		return p.secretText(value)
	}
	if p.known.basic == FormEncoded {
		plainID, errID := url.QueryUnescape(id)
		plainSecret, errSecret := url.QueryUnescape(secret)
		if errID == nil && errSecret == nil {
			id, secret = plainID, plainSecret
		}
	}
	return "[id " + printable(id) + ", " + p.secretWords(secret) + "]"
}

// assertionText shows what a JWT says (RFC 7519 §3) without its signature.
func assertionText(jwt string) (string, bool) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return "", false
	}
	shown := make([]string, 2)
	for i := range shown {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || !json.Valid(raw) {
			return "", false
		}
		var line bytes.Buffer
		if json.Compact(&line, raw) != nil {
			return "", false
		}
		shown[i] = printable(line.String())
	}
	return "[jwt " + shown[0] + " " + shown[1] + ", signature withheld]", true
}

// soundsSecret is the second line of defence, for requests that do not say
// themselves which of their parts are secret.
func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, "_type") || strings.HasSuffix(name, "_hint") {
		return false
	}
	switch name {
	case "authorization", "proxy-authorization", "cookie", "code", "code_verifier":
		return true
	}
	for _, part := range []string{"secret", "password", "token", "assertion", "api-key", "api_key", "apikey"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// printable is s, or s quoted when it could do something to a terminal.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r == '\uFFFD' || !strconv.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func (p printer) secretText(value string) string { return "[" + p.secretWords(value) + "]" }

func (p printer) secretWords(value string) string {
	if why, ok := p.unfetched[value]; ok {
		return "secret not fetched: " + printable(why)
	}
	return "secret " + p.digest(value)
}

// of tells secrets apart without giving them away. It is slow on purpose and shows 24
// bits: a guess at a weak secret costs as much as this call, and many guesses fit.
func (f Fingerprints) of(value string) string {
	const rounds = 600_000 // OWASP Password Storage Cheat Sheet, PBKDF2-HMAC-SHA256
	salt := fmt.Sprintf("authctl dry-run fingerprint v2\n%d:%s\n%s", len(f.ClientID), f.ClientID, f.TokenURL)
	sum, err := pbkdf2.Key(sha256.New, value, []byte(salt), rounds, sha256.Size)
	if err != nil {
		return "withheld"
	}
	return hex.EncodeToString(sum[:3])
}
