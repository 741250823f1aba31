package har

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

// fake secrets, and a JWT that says who it is for.
const (
	fakeSecret = "fake secret/100%:é+"
	fakeToken  = "fake-Opaque-Token-0123456789"
	fakeID     = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
)

func fakeJWT() string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"ES256","kid":"k1"}`) + "." +
		part(`{"iss":"demo","jti":"`+fakeID+`","sub":"jane","password":"obviously","act":{"sub":"bot"}}`) + "." + part("no signature")
}

// wantHidden requires that a text shows none of the secrets, and that something stands in their place.
func wantHidden(t *testing.T, shown string, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if strings.Contains(shown, s) {
			t.Errorf("a secret is shown: %s", shown)
		}
	}
	if !strings.Contains(shown, "secret:") {
		t.Errorf("no fingerprint is in %s", shown)
	}
}

func TestValuesByName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		at          place
		hidden      bool
	}{
		{"client_secret", "x", inParams, true},
		{"clientSecret", "x", inJSON, true},
		{"password", "blue", inParams, true},
		{"oldPassword", "blue", inJSON, true},
		{"code", "splxl", inParams, true},
		{"code", "invalid_request", inJSON, false},
		{"state", "af0ifjs", inParams, true},
		{"state", "active", inJSON, false},
		{"code_verifier", "short", inParams, true},
		{"code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", inParams, false},
		{"code_challenge_method", "S256", inParams, false},
		{"refresh_token", "x", inParams, true},
		{"token", "x", inParams, true},
		{"token_type_hint", "refresh_token", inParams, false},
		{"token_type", "Bearer", inJSON, false},
		{"subject_token_type", "urn:ietf:params:oauth:token-type:access_token", inParams, false},
		{"id_token_hint", "x", inParams, true},
		{"device_code", "x", inParams, true},
		{"user_code", "WDJB-MJHT", inJSON, true},
		{"verification_uri", "https://id.example/device", inJSON, false},
		{"SAMLResponse", "PHNhbWw", inParams, true},
		{"assertion", "PHNhbWw", inParams, true},
		{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", inParams, false},
		{"client_id", fakeID, inParams, false},
		{"accountId", fakeID, inJSON, false},
		{"session_id", fakeID, inJSON, true},
		{"jti", fakeToken, inJSON, false},
		{"error_description", "the token is expired", inJSON, false},
		{"error_description", "trace id " + fakeID, inJSON, false},
		{"error_description", fakeToken, inJSON, true},
		{"message", fakeToken, inJSON, true},
		{"error", "unauthorized_client", inJSON, false},
		{"code", "NotAuthorizedForThisClient", inJSON, false},
		{"scope", "contacts:read recordings:read", inJSON, false},
		{"something", fakeToken, inJSON, true},
		{"something", fakeID, inJSON, true},
		{"something", "2026-11-30T12:00:00.000Z", inJSON, false},
		{"something", "acme", inJSON, false},
		{"something", strings.Repeat("0a", 16), inJSON, true},
		{"X-Api-Key", "x", inHead, true},
		{"X-Auth-Token", "x", inHead, true},
		{"X-Request-Id", fakeToken, inHead, false},
		{"X-Correlation-ID", fakeID, inHead, false},
		{"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", inHead, false},
		{"X-Something", fakeToken, inHead, true},
		{"Etag", `"33a64df551425fcc55e4d42a148795d9f25f89d4"`, inHead, false},
	} {
		shown := newEraser().value(c.name, c.value, c.at)
		if c.hidden && !isWord(shown) || !c.hidden && shown != c.value {
			t.Errorf("%s: %s is shown as %s", c.name, c.value, shown)
		}
	}
}

// TestFingerprints are equal for equal secrets, and for no others, in one run and in no other.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	e, other := newEraser(), newEraser()
	one := e.value("access_token", fakeToken, inJSON)
	if again := e.value("token", fakeToken, inParams); again != one {
		t.Errorf("%s and %s", one, again)
	}
	if e.value("access_token", fakeToken+"x", inJSON) == one {
		t.Error("two secrets have one fingerprint")
	}
	if other.value("access_token", fakeToken, inJSON) == one {
		t.Error("the fingerprint is the same in another run")
	}
	e.hold(fakeSecret)
	one = e.value("client_secret", fakeSecret, inParams)
	for _, form := range []string{url.QueryEscape(fakeSecret), url.PathEscape(fakeSecret)} {
		if again := e.value("client_secret", form, inParams); again != one {
			t.Errorf("%s is shown as %s, and the secret as %s", form, again, one)
		}
	}
}

// TestSecretsByValue are found wherever they stand, in whichever form.
func TestSecretsByValue(t *testing.T) {
	t.Parallel()
	quoted := `\u0066ake secret\/100%:\u00e9+`
	for name, text := range map[string]string{
		"as it is":           "no " + fakeSecret + " here",
		"form-encoded":       "no " + url.QueryEscape(fakeSecret),
		"small hexadecimals": "no " + strings.ReplaceAll(strings.ToLower(url.QueryEscape(fakeSecret)), "%c3%a9", "%c3%a9"),
		"in a path":          "/a/" + url.PathEscape(fakeSecret) + "/b",
		"twice":              url.QueryEscape(url.QueryEscape(fakeSecret)),
		"in HTML":            "<p>" + strings.ReplaceAll(fakeSecret, "+", "+") + "</p>",
		"in JSON in a text":  `{"error_description":"bad ` + quoted + `"}`,
		"Basic":              "Basic " + base64.StdEncoding.EncodeToString([]byte("demo:"+fakeSecret)),
		"base64 of a URL":    base64.RawURLEncoding.EncodeToString([]byte("client-1:" + fakeSecret + ":more")),
	} {
		for _, before := range []string{"", "a", "ab"} {
			e := newEraser()
			e.hold(fakeSecret)
			shown := e.free(before+text, false).text
			wantHidden(t, shown, text, "100%", "secret/", "secret%2F", "secret+", base64.StdEncoding.EncodeToString([]byte("cret/100"))[1:9])
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

func TestShortSecrets(t *testing.T) {
	t.Parallel()
	e := newEraser()
	e.hold("abc", "")
	if shown := e.value("something", "abc", inJSON); !isWord(shown) {
		t.Error(shown)
	}
	if shown := e.kept("the abc of it"); shown != "the abc of it" {
		t.Errorf("what is a part of words by chance is hidden: %s", shown)
	}
}

func TestJWT(t *testing.T) {
	t.Parallel()
	e := newEraser()
	shown := e.credentials("Bearer " + fakeJWT())
	if !strings.HasPrefix(shown, `Bearer jwt {"alg":"ES256","kid":"k1"} {"iss":"demo","jti":"`+fakeID+`","sub":"jane","password":"secret:`) ||
		!strings.Contains(shown, `"act":{"sub":"bot"}}, signature secret:`) {
		t.Error(shown)
	}
	parts := strings.Split(fakeJWT(), ".")
	for name, text := range map[string]string{
		"in a text":  "the token " + fakeJWT() + " is bad",
		"in a path":  e.address("https://api.example/t/" + fakeJWT()),
		"in a query": e.address("https://api.example/t?unheard=" + fakeJWT()),
		"as a value": e.value("something", fakeJWT(), inJSON),
		"as a name":  e.json(`{"` + fakeJWT() + `":1}`),
		"cut":        "the token " + fakeJWT()[:60],
		"encrypted": e.hidden(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"dir","enc":"A128GCM"}`)) +
			".." + parts[1] + "." + parts[1] + "." + parts[2]),
	} {
		shown := e.free(text, false).text
		wantHidden(t, shown, parts[1], parts[2], parts[1][:20])
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	e := newEraser()
	e.hold(fakeSecret)
	for text, want := range map[string]string{
		"https://id.example/a?client_id=demo&code=abc&state=x#frag":          "https://id.example/a?client_id=demo&code=WORD&state=WORD#frag",
		"https://jane:fake@id.example/":                                      "https://jane:WORD@id.example/",
		"https://app.example/cb#access_token=abc&token_type=bearer":          "https://app.example/cb#access_token=WORD&token_type=bearer",
		"/relative?error=access_denied&id_token_hint=x":                      "/relative?error=access_denied&id_token_hint=WORD",
		"https://api.example/users/" + fakeID + "/calls":                     "https://api.example/users/" + fakeID + "/calls",
		"https://api.example/t/" + fakeToken:                                 "https://api.example/t/WORD",
		"https://api.example/" + url.PathEscape(fakeSecret) + "/":            "https://api.example/WORD/",
		"https://id.example/?next=" + url.QueryEscape("https://a.b/?code=x"): "https://id.example/?next=" + url.QueryEscape("https://a.b/?code=WORD"),
		"https://id.example/?q=" + url.QueryEscape(fakeSecret) + "&q=2":      "https://id.example/?q=WORD&q=2",
	} {
		if shown := worded(e.address(text)); shown != want {
			t.Errorf("%s is shown as\n%s, want\n%s", text, shown, want)
		}
	}
}

// worded has WORD in the place of each fingerprint, however it is escaped.
func worded(text string) string {
	for _, start := range []string{"secret:", "secret%3A", "secret%253A"} {
		for {
			before, after, ok := strings.Cut(text, start)
			if !ok {
				break
			}
			text = before + "WORD" + after[8:]
		}
	}
	return text
}
