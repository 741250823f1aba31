package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

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
}

// newPrinted reveals the token: this is the one place that prints it.
func newPrinted(s *session, answer broker.Answer, now time.Time) printed {
	p := printed{
		AccessToken: answer.Token.AccessToken.Reveal(),
		TokenType:   answer.Token.TokenType,
		Scope:       strings.Join(grantedScopes(s, answer.Token), " "),
		Profile:     s.profile.Name,
		Provider:    s.provider.Name(),
		Account:     s.profile.Settings.Text("account"),
		Source:      string(answer.Source),
	}
	p.ExpiresAt, p.ExpiresOn, p.ExpiresIn = moments(answer.Token.Expiry(), now)
	return p
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
func tokenFormats() []string { return []string{"raw", "header", "json", "env"} }

// format returns what goes to stdout. variable is the name that env gives the
// token; its type and expiry get the same name and a suffix.
func (p printed) format(format, variable string) (string, error) {
	switch format {
	case "raw":
		return p.AccessToken + "\n", nil
	case "header":
		return "Authorization: Bearer " + p.AccessToken + "\n", nil
	case "json":
		text, err := json.Marshal(p)
		return string(text) + "\n", err
	case "env":
		return p.environment(variable), nil
	}
	return "", fmt.Errorf("no such format: %s", format)
}

// environment returns lines for eval in a POSIX shell.
func (p printed) environment(variable string) string {
	var b strings.Builder
	set := func(name, value string) { fmt.Fprintf(&b, "export %s=%s\n", name, shellQuote(value)) }
	set(variable, p.AccessToken)
	set(variable+"_TYPE", p.TokenType)
	if p.ExpiresOn != nil {
		set(variable+"_EXPIRES_ON", strconv.FormatInt(*p.ExpiresOn, 10))
	} else {
		// An earlier token's expiry must not stay behind.
		fmt.Fprintf(&b, "unset %s_EXPIRES_ON\n", variable)
	}
	return b.String()
}

// shellQuote quotes s for a POSIX shell (XCU §2.2.2): nothing is special between
// single quotes but the single quote.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// shellWord quotes s where a shell would not take it as it is.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:,@%+=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return shellQuote(s)
}
