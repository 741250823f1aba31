package oauth

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

func TestTokenReply(t *testing.T) {
	t.Parallel()
	const js, form = "application/json", "application/x-www-form-urlencoded; charset=utf-8"
	base := Token{AccessToken: secret.New("fake-token"), TokenType: "Bearer", RequestedAt: noon}
	for _, c := range []struct {
		name, ctype, body string
		change            func(*Token)
	}{
		{"bare", js, `{"access_token":"fake-token"}`, nil},
		{
			"null members", js, `{"access_token":"fake-token","refresh_token":null,"scope":null,"token_type":null,"expires_in":null,"error":null,"errors":[],"status":{"code":0}}`,
			func(k *Token) { k.LifetimeProblem = "expires_in is null" },
		},
		{"BOM and blanks", js, "\xEF\xBB\xBF \n" + `{"access_token":"fake-token"}` + "\n", nil},
		{"JSON named a form", form, `{"access_token":"fake-token"}`, nil},
		{"JSON named HTML", "text/html", `{"access_token":"fake-token"}`, nil},
		{"last of two", js, `{"access_token":"x","access_token":"fake-token"}`, nil},
		{"other case is another name", js, `{"Access_Token":"x","access_token":"fake-token"}`, nil},
		{"form", form, "access_token=fake-token&token_type=BEARER&expires_in=43200&refresh_token=fake-refresh&scope=*+x", func(k *Token) {
			k.TokenType, k.Lifetime, k.LifetimeProblem = "BEARER", 12*time.Hour, ""
			k.RefreshToken, k.Scope = secret.New("fake-refresh"), []string{"*", "x"}
		}},
		{"form without a type", "", "access_token=fake-token", nil},
		{
			"scopes encoded", js, `{"access_token":"fake-token","scope":"apps%3Aread%20apps%3Awrite"}`,
			func(k *Token) { k.Scope = []string{"apps%3Aread%20apps%3Awrite"} },
		},
		{
			"scopes with commas", js, `{"access_token":"fake-token","scope":"a,b, c ,,d e"}`,
			func(k *Token) { k.Scope = []string{"a", "b", "c", "d", "e"} },
		},
		{
			"scope list", js, `{"access_token":"fake-token","scope":["a","b c"]}`,
			func(k *Token) { k.Scope = []string{"a", "b", "c"} },
		},
		{
			"no scopes", js, `{"access_token":"fake-token","scope":" "}`,
			func(k *Token) { k.Scope = []string{} },
		},
		{
			"empty list of scopes", js, `{"access_token":"fake-token","scope":[]}`,
			func(k *Token) { k.Scope = []string{} },
		},
		{"scope of another type", js, `{"access_token":"fake-token","scope":{"a":1}}`, nil},
		{
			"hostile scope", js, `{"access_token":"fake-token","scope":"a\u001b[2J b"}`,
			func(k *Token) { k.Scope = []string{"a [2J", "b"} },
		},
		{"status is a word", js, `{"access_token":"fake-token","status":"ok","errors":{}}`, nil},
	} {
		want := base
		want.LifetimeProblem = "the reply has no expires_in"
		if c.change != nil {
			c.change(&want)
		}
		r := &Reply{StatusCode: 200, Header: http.Header{"Content-Type": {c.ctype}}, Body: []byte(c.body)}
		got, err := r.token(noon, noon.Add(time.Second))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(secret.Secret.Equal)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func FuzzTokenReply(f *testing.F) {
	f.Add(200, "application/json", goodReply)
	f.Add(200, "application/x-www-form-urlencoded", "access_token=a&expires_in=1&scope=x")
	f.Add(200, "", `{"access_token":"a","token_type":"fake-secret-0123456789","expires_in":"fake\u002dsecret-0123456789"}`)
	f.Add(200, "", `{"status":{"code":1,"message":"fake-secret-0123456789"}}`)
	f.Add(302, "", "")
	f.Fuzz(func(t *testing.T, status int, ctype, body string) {
		r := &Reply{endpoint: "https://id.example/t", StatusCode: status, Header: http.Header{"Content-Type": {ctype}}, Body: []byte(body), secrets: secret.Redactor{fakeSecret}}
		got, err := r.token(noon, noon)
		if err == nil {
			checkToken(t, got)
			return
		}
		if !got.AccessToken.IsZero() {
			t.Errorf("a token beside the error %v", err)
		}
		checkErrorText(t, err)
	})
}

// FuzzErrorReply feeds the error parser alone: any status, any headers.
func FuzzErrorReply(f *testing.F) {
	f.Add("application/json", `{"error":"invalid_client","error_description":"fake-secret-0123456789"}`, `Bearer error="x"`, "5")
	f.Add("application/json", `{"errors":[{"status":{"code":1,"detail":"x"}}],"status":{"code":2}}`, "", "Sat, 05 Apr 2031 12:00:07 GMT")
	f.Add("", "error=a&error_description=b", "Basic realm=", "-1")
	f.Fuzz(func(t *testing.T, ctype, body, challenge, after string) {
		r := &Reply{
			endpoint: "https://id.example/t", StatusCode: 400, Body: []byte(body), secrets: secret.Redactor{fakeSecret},
			Header: http.Header{"Content-Type": {ctype}, "Www-Authenticate": {challenge}, "Retry-After": {after}},
		}
		_, err := r.token(noon, noon)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.RetryAfter < 0 || e.RetryAfter > maxRetryAfter || e.NotBefore.IsZero() != (e.RetryAfter == 0) {
			t.Fatalf("%T %+v", err, err)
		}
		checkErrorText(t, err)
		for _, s := range []string{e.Code, e.Description} {
			if secret.CleanText(s) != s || strings.Contains(s, fakeSecret) {
				t.Errorf("%q is not clean", s)
			}
		}
	})
}

func checkToken(t *testing.T, got Token) {
	t.Helper()
	text := got.AccessToken.Reveal() + got.RefreshToken.Reveal() + got.IDToken.Reveal()
	if got.AccessToken.IsZero() || strings.ContainsFunc(text, func(r rune) bool { return r < 0x21 || r > 0x7E }) {
		t.Errorf("tokens %q", text)
	}
	if !strings.EqualFold(got.TokenType, "bearer") || (got.Lifetime == 0) != (got.LifetimeProblem != "") {
		t.Errorf("%+v", got)
	}
	if secret.CleanText(got.LifetimeProblem) != got.LifetimeProblem || strings.Contains(got.LifetimeProblem, fakeSecret) {
		t.Errorf("lifetime problem %q", got.LifetimeProblem)
	}
	for _, s := range got.Scope {
		if s != "" && strings.ContainsAny(s, "\x1b\n\r\x00\u202e") {
			t.Errorf("scope %q", s)
		}
	}
}

func checkErrorText(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if secret.CleanTo(text, len(text)+1) != text || len(text) > 4000 || strings.Contains(text, fakeSecret) {
		t.Errorf("error text %q", text)
	}
}
