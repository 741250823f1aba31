package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestTokenType(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"":             "",
		"access_token": "urn:ietf:params:oauth:token-type:access_token",
		"jwt":          "urn:ietf:params:oauth:token-type:jwt",
		"saml2":        "urn:ietf:params:oauth:token-type:saml2",
		"urn:ietf:params:oauth:token-type:id_token": "urn:ietf:params:oauth:token-type:id_token",
		"https://id.example/types/session":          "https://id.example/types/session",
		"urn:x:y":                                   "urn:x:y",
		"Access_Token":                              "-",
		"saml":                                      "-",
		"urn:":                                      "-",
		"urn:a b":                                   "-",
		"urn:a\u202eb":                              "-",
	} {
		got, err := TokenType(name)
		if err != nil {
			got = "-"
		}
		if got != want {
			t.Errorf("%q is %q (%v), want %q", name, got, err, want)
		}
	}
}

func TestTokenExchangeReply(t *testing.T) {
	t.Parallel()
	const urn = "urn:ietf:params:oauth:token-type:"
	for _, c := range []struct{ reply, kind, problem string }{
		{`"token_type":"Bearer","issued_token_type":"` + urn + `access_token"`, urn + "access_token", ""},
		{`"token_type":"bearer","issued_token_type":"urn:x:\u001b[2Jy"`, "urn:x: [2Jy", ""},
		{`"token_type":"Bearer"`, "", "it has no issued_token_type"},
		{`"token_type":"Bearer","issued_token_type":null`, "", "it has no issued_token_type"},
		{`"token_type":"N_A","issued_token_type":"` + urn + `saml2"`, "", `no bearer token: token_type is N_A, issued_token_type is "saml2"`},
		{`"token_type":"n_a","issued_token_type":"urn:x:\u001b[2J"`, "", `issued_token_type is "urn:x: [2J"`},
		{`"token_type":"N_A"`, "", `token_type is "N_A", only bearer is supported`},
		{`"token_type":"DPoP","issued_token_type":"` + urn + `jwt"`, "", `token_type is "DPoP"`},
		{`"token_type":"N_A","issued_token_type":"fake-exchanged"`, "", `issued_token_type is "[redacted]"`},
	} {
		s := serve(t, answerWith(http.StatusOK, "application/json", `{"access_token":"fake-exchanged",`+c.reply+`}`))
		client, _ := newClient(t)
		token, err := client.Token(t.Context(), TokenRequest{
			Endpoint: endpointOf(t, s.URL), Auth: None{ClientID: "c"}, Params: url.Values{"grant_type": {TokenExchange.Type()}},
		})
		if c.problem == "" && (err != nil || token.IssuedTokenType != c.kind) ||
			c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%s: %q, %v; want %q, %q", c.reply, token.IssuedTokenType, err, c.kind, c.problem)
		}
	}
}

// TestAssumedLifetime: only what the reply leaves open is assumed.
func TestAssumedLifetime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expiresIn string
		lives     time.Duration
		assumed   bool
	}{
		{"", time.Hour, true},
		{`,"expires_in":0`, time.Hour, true},
		{`,"expires_in":"soon"`, time.Hour, true},
		{`,"expires_in":-1`, time.Hour, true},
		{`,"expires_in":60`, time.Minute, false},
		{`,"expires_in":"60"`, time.Minute, false},
	} {
		s := serve(t, answerWith(http.StatusOK, "application/json", `{"access_token":"fake"`+c.expiresIn+`}`))
		client, _ := newClient(t)
		r := machineRequest(endpointOf(t, s.URL))
		r.AssumedLifetime = time.Hour
		token, err := client.Token(t.Context(), r)
		if err != nil || token.Lifetime != c.lives || token.LifetimeAssumed != c.assumed {
			t.Errorf("%s: %s, %v, %v", c.expiresIn, token.Lifetime, token.LifetimeAssumed, err)
		}
	}
}
