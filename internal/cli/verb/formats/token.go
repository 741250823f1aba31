// Package formats writes a token in the formats of those it is for: shells, the runners of
// pipelines, curl, kubectl.
package formats

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/term"
)

// Token is a token on its way to stdout: what the formats of `token get` show.
type Token struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	// Scope is what was granted or, where the service did not say, what was
	// asked for (RFC 6749 §5.1); scopes are joined by spaces.
	Scope string `json:"scope"`
	// ExpiresAt is RFC 3339 in UTC, ExpiresOn epoch seconds, ExpiresIn the
	// seconds left; all are null when the service gave no lifetime.
	ExpiresAt *string `json:"expires_at"`
	ExpiresOn *int64  `json:"expires_on"`
	ExpiresIn *int64  `json:"expires_in"`
	// LifetimeAssumed says that they follow from the profile's lifetime; left out when not.
	LifetimeAssumed bool   `json:"lifetime_assumed,omitempty"`
	Profile         string `json:"profile"`
	Provider        string `json:"provider"`
	Account         string `json:"account"`
	Source          string `json:"source"`
	// MissingScopes should be there and are not; left out when none is missing.
	MissingScopes []string `json:"missing_scopes,omitempty"`
	// headers are what the API wants beside the token, whole lines; curl alone gets them.
	headers []string
}

// New reveals the token: this is the one place that prints it.
func New(s *client.Client, answer broker.Answer, now time.Time) Token {
	p := Token{
		AccessToken:   answer.Token.AccessToken.Reveal(),
		TokenType:     answer.Token.TokenType,
		Scope:         strings.Join(s.Granted(answer.Token), " "),
		Profile:       s.Profile.Name,
		Provider:      s.Provider.Name(),
		Account:       s.Profile.Settings.Text("account"),
		Source:        string(answer.Source),
		MissingScopes: verb.MissingScopes(answer),

		LifetimeAssumed: answer.Token.LifetimeAssumed,
	}
	p.ExpiresAt, p.ExpiresOn, p.ExpiresIn = moment.Fields(answer.Token.Expiry(), now)
	return p
}

// WithHeaders adds what the service's API wants beside the token.
func (p Token) WithHeaders(ctx context.Context, s *client.Client) (Token, error) {
	wanted := s.Provider.Headers()
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		value, err := wanted[name](ctx)
		if err != nil {
			return p, err
		}
		line := name + ": " + value.Reveal()
		if strings.ContainsFunc(line, unicode.IsControl) {
			// A line break would be the end of it, and the next one another option.
			return p, &oauth.RequestError{Problem: "header " + name + " has bytes that no header carries"}
		}
		p.headers = append(p.headers, line)
	}
	return p, nil
}

// Secrets are what of it no log may show.
func (p Token) Secrets() []string {
	list := []string{p.AccessToken}
	for _, header := range p.headers {
		_, value, _ := strings.Cut(header, ": ")
		list = append(list, value)
	}
	return list
}

// Names are the values of `token get --output`, the default first.
func Names() []string {
	return []string{
		"raw", "header", "json", "env", "fish", "powershell", "dotenv",
		"github", "gitlab", "azure-pipelines", "curl", "exec-credential",
	}
}

// Form is how a token is to be printed: what the flags say, and what a format has to
// know of whom it is for.
type Form struct {
	format string
	// variable is the name of the token; its type and expiry get the same name and a
	// suffix where they are given too.
	variable string
	// runner is where the format github puts the token.
	runner runnerFile
	// apiVersion is that of the format exec-credential.
	apiVersion string
}

// Prepare looks at what a format needs, for a variable of that name; output has the format
// github set an output of the step. It is called before the service is asked: a token that
// cannot be handed over need not be issued.
func Prepare(d *verb.Deps, format, variable string, output bool) (Form, error) {
	f := Form{format: format, variable: variable}
	var err error
	switch f.format {
	case "github":
		f.runner, err = fileOfRunner(d, output)
	case "azure-pipelines":
		err = inAzurePipelines(d)
	case "exec-credential":
		f.apiVersion, err = credentialVersion(d)
	}
	return f, err
}

// Deliver prints a token. What goes to a file, and to stderr, does so only after stdout
// has been told to hide it.
func (f Form) Deliver(d *verb.Deps, p Token) error {
	text, err := p.format(f)
	if err != nil {
		return err
	}
	if err := d.UI.PrintToken(text); err != nil {
		return err
	}
	d.UI.Release()
	switch f.format {
	case "github":
		return f.runner.append(f.variable, p.AccessToken)
	case "gitlab":
		warnOfReport(d, len(text))
	}
	return nil
}

// format returns what goes to stdout.
func (p Token) format(f Form) (string, error) {
	switch f.format {
	case "raw":
		return p.AccessToken + "\n", nil
	case "header":
		return p.header() + "\n", nil
	case "json":
		return term.JSONLine(p)
	case "env":
		return p.posix(f.variable), nil
	case "fish":
		return p.fish(f.variable), nil
	case "powershell":
		return p.powershell(f.variable), nil
	case "dotenv":
		return p.dotenv(f.variable)
	case "github":
		return p.mask(), nil
	case "gitlab":
		return p.report(f.variable)
	case "azure-pipelines":
		return p.secretVariable(f.variable), nil
	case "curl":
		return p.Curl(), nil
	case "exec-credential":
		return p.credential(f.apiVersion)
	}
	return "", fmt.Errorf("no such format: %s", f.format)
}

// header is the header of RFC 6750 §2.1.
func (p Token) header() string { return "Authorization: Bearer " + p.AccessToken }
