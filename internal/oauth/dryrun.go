package oauth

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/authctl/authctl/internal/secret"
)

// ErrDryRun is what a Client's methods return when its DryRun took the request.
var ErrDryRun = errors.New("dry run: nothing was sent")

// DryRun keeps requests instead of sending them. A secret that cannot be fetched is no
// error then: it is shown with the reason. The zero value is ready to use.
type DryRun struct {
	mu   sync.Mutex
	kept []*draft
}

func (r *DryRun) keep(d *draft) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, d)
}

// ShownRequest is a request that was not sent.
type ShownRequest struct {
	URL *url.URL
	// Text is the request as people read it: method and URL, the headers sorted, an empty
	// line, and one decoded form parameter a line or the JSON body on one. A secret is shown
	// as [secret 3f9a21], a fingerprint that is the same wherever secret, client and token
	// endpoint are the same, so that two people with one profile can compare. A person's
	// password has none: it is weak enough to be guessed. A client assertion, which differs
	// each time, is shown as its header and claims, and a certificate as a line of its own
	// behind the headers.
	Text string
}

// Requests returns what would have been sent, in that order.
func (r *DryRun) Requests(of Fingerprints) []ShownRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]string{}
	salt := fmt.Sprintf("authctl dry-run fingerprint v2\n%d:%s\n%s", len(of.ClientID), of.ClientID, of.TokenURL)
	words := wordsWith(func(value string) string {
		if seen[value] == "" {
			seen[value] = secret.Fingerprint(value, salt)
		}
		return seen[value]
	})
	all := make([]ShownRequest, len(r.kept))
	for i, d := range r.kept {
		all[i] = ShownRequest{d.endpoint, d.text(words)}
	}
	return all
}

// text shows the request, with words in the place of each secret.
func (d *draft) text(words func(fetched) string) string {
	var b strings.Builder
	b.WriteString(d.method + " " + secret.Printable(d.endpoint.Scheme+"://"+d.endpoint.Host+d.endpoint.EscapedPath()))
	if query := lines(d.endpoint.Query(), "=", nil, words); len(query) > 0 {
		b.WriteString("?" + strings.Join(query, "&"))
	}
	b.WriteString("\n")
	for _, line := range lines(d.header, ": ", d.markedHeader, words) {
		b.WriteString(line + "\n")
	}
	if d.certificate != nil {
		b.WriteString(d.certificate.text() + "\n")
	}
	body := lines(d.form, "=", d.markedParam, words)
	if d.json != nil {
		body = []string{secret.Printable(d.jsonText(func(f fetched) string { return f.mark()(words) }))}
	}
	if len(body) > 0 {
		b.WriteString("\n" + strings.Join(body, "\n") + "\n")
	}
	return b.String()
}

// lines are the values with their names, sorted by those.
func lines(values map[string][]string, between string, marked map[string]mark, words func(fetched) string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			text := secret.Printable(value)
			if m := marked[name]; m != nil {
				text = m(words)
			}
			all = append(all, secret.Printable(name)+between+text)
		}
	}
	return all
}

// wordsWith are the words for a secret.
func wordsWith(fingerprint func(string) string) func(fetched) string {
	return func(f fetched) string {
		kind := "secret"
		if strings.Contains(strings.ToLower(f.name), "password") {
			kind = "password"
		}
		switch {
		case f.lack != "":
			return kind + " not fetched: " + secret.Printable(f.lack)
		case kind == "password":
			return kind
		}
		return kind + " " + fingerprint(f.value)
	}
}

// Fingerprints are those of one client: another client's are other ones, so that no
// table of guesses fits two.
type Fingerprints struct{ ClientID, TokenURL string }
