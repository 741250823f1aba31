package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
)

// printed is a token on its way to stdout: what the formats of `token get` show.
type printed struct {
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
	Profile   string  `json:"profile"`
	Provider  string  `json:"provider"`
	Account   string  `json:"account"`
	Source    string  `json:"source"`
	// MissingScopes should be there and are not; left out when none is missing.
	MissingScopes []string `json:"missing_scopes,omitempty"`
	// headers are what the API wants beside the token, whole lines; curl alone gets them.
	headers []string
}

// newPrinted reveals the token: this is the one place that prints it.
func newPrinted(s *session, answer broker.Answer, now time.Time) printed {
	p := printed{
		AccessToken:   answer.Token.AccessToken.Reveal(),
		TokenType:     answer.Token.TokenType,
		Scope:         strings.Join(grantedScopes(s, answer.Token), " "),
		Profile:       s.profile.Name,
		Provider:      s.provider.Name(),
		Account:       s.profile.Settings.Text("account"),
		Source:        string(answer.Source),
		MissingScopes: missingScopes(answer),
	}
	p.ExpiresAt, p.ExpiresOn, p.ExpiresIn = moments(answer.Token.Expiry(), now)
	return p
}

// withHeaders adds what the service's API wants beside the token.
func (p printed) withHeaders(ctx context.Context, s *session) (printed, error) {
	wanted := s.provider.Headers()
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

// secrets are what of it no log may show.
func (p printed) secrets() []string {
	list := []string{p.AccessToken}
	for _, header := range p.headers {
		_, value, _ := strings.Cut(header, ": ")
		list = append(list, value)
	}
	return list
}

// grantedScopes are the scopes of a token or, where the service did not say, those
// that were asked for (RFC 6749 §5.1).
func grantedScopes(s *session, token oauth.Token) []string {
	if token.Scope != nil {
		return token.Scope
	}
	return append([]string{}, s.profile.Settings.List("scopes")...)
}

// tokenFormats are the values of `token get --output`, the default first.
func tokenFormats() []string {
	return []string{
		"raw", "header", "json", "env", "fish", "powershell", "dotenv",
		"github", "gitlab", "azure-pipelines", "curl", "exec-credential",
	}
}

// form is how a token is to be printed: what the flags say, and what a format has to
// know of whom it is for.
type form struct {
	format string
	// variable is the name of the token; its type and expiry get the same name and a
	// suffix where they are given too.
	variable string
	// runner is where the format github puts the token.
	runner runnerFile
	// apiVersion is that of the format exec-credential.
	apiVersion string
}

// form looks at what the format needs. It is called before the service is asked: a
// token that cannot be handed over need not be issued.
func (a *app) form(o *tokenGetOptions) (form, error) {
	f := form{format: o.output.format, variable: o.variable}
	var err error
	switch f.format {
	case "github":
		f.runner, err = a.runnerFile(o.githubOutput)
	case "azure-pipelines":
		err = a.inAzurePipelines()
	case "exec-credential":
		f.apiVersion, err = a.credentialVersion()
	}
	return f, err
}

// deliver prints a token. What goes to a file, and to stderr, does so only after stdout
// has been told to hide it.
func (a *app) deliver(f form, p printed) error {
	text, err := p.format(f)
	if err != nil {
		return err
	}
	if err := a.printToken(text); err != nil {
		return err
	}
	a.release()
	switch f.format {
	case "github":
		return f.runner.append(f.variable, p.AccessToken)
	case "gitlab":
		a.warnOfReport(len(text))
	}
	return nil
}

// format returns what goes to stdout.
func (p printed) format(f form) (string, error) {
	switch f.format {
	case "raw":
		return p.AccessToken + "\n", nil
	case "header":
		return p.header() + "\n", nil
	case "json":
		text, err := json.Marshal(p)
		return jsonText(string(text)) + "\n", err
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
		return p.curl(), nil
	case "exec-credential":
		return p.credential(f.apiVersion)
	}
	return "", fmt.Errorf("no such format: %s", f.format)
}

// header is the header of RFC 6750 §2.1.
func (p printed) header() string { return "Authorization: Bearer " + p.AccessToken }
