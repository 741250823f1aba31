package oauth

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

// length stands in for fingerprint, which is slow on purpose.
func length(s string) string { return strconv.Itoa(len(s)) }

// dryRun returns what a request is shown as.
func dryRun(t *testing.T, r TokenRequest, digest func(string) string) string {
	t.Helper()
	var dry DryRun
	c := &Client{DryRun: &dry, Now: atNoon, UserAgent: "authctl/test"}
	token, err := c.Token(t.Context(), r)
	if !errors.Is(err, ErrDryRun) || !token.AccessToken.IsZero() {
		t.Fatalf("%+v, %v", token, err)
	}
	if len(dry.kept) != 1 {
		t.Fatalf("%d requests are kept, want 1", len(dry.kept))
	}
	return dry.kept[0].text(wordsWith(digest))
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	r := machineRequest(endpointOf(t, "https://id.example"))
	r.Header = http.Header{"X-Account": {"mybankab"}}
	r.SecretHeader = map[string]secret.Func{"x-unheard-of": secretOf("fake-key")}
	r.Secrets = map[string]secret.Func{"pin": secretOf("fake-pin")}
	r.Params.Set("username", "acme\\jane\x1b[2J")
	want := `POST https://id.example/oauth/token
Accept: application/json
Authorization: Basic [id demo-client, secret 22]
Content-Type: application/x-www-form-urlencoded
User-Agent: authctl/test
X-Account: mybankab
X-Unheard-Of: [secret 8]

grant_type=client_credentials
pin=[secret 8]
scope=a:read b:write
username="acme\\jane\x1b[2J"
`
	if diff := cmp.Diff(want, dryRun(t, r, length)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFingerprint pins the construction: the same digits on every machine, also
// in the next release; other ones for another client, and none for a password.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	var dry DryRun
	_, err := (&Client{DryRun: &dry}).Call(t.Context(), CallRequest{
		Method: "POST", URL: mustURL(t, "https://id.example/t?a=b+c"), Secrets: map[string]secret.Func{"password": secretOf("fake-password")},
		SecretHeader: map[string]secret.Func{"X-Api-Key": secretOf(fakeSecret)},
	})
	if !errors.Is(err, ErrDryRun) {
		t.Fatal(err)
	}
	seen := map[string]Fingerprints{}
	for _, of := range []Fingerprints{
		{"abc", "https://id.example/token"}, {"abd", "https://id.example/token"}, {"abc", "https://id.example/token2"}, {},
	} {
		text := dry.Requests(of)[0].Text
		if other, ok := seen[text]; ok {
			t.Errorf("%v and %v have one fingerprint: %q", of, other, text)
		}
		seen[text] = of
	}
	want := "POST https://id.example/t?a=b c\nAccept: application/json\nContent-Type: application/x-www-form-urlencoded\n" +
		"X-Api-Key: [secret 84c8af]\n\npassword=[password]\n"
	if of := seen[want]; of.ClientID != "abc" || of.TokenURL != "https://id.example/token" {
		t.Errorf("want %q among %q", want, slices.Collect(maps.Keys(seen)))
	}
}

// TestDryRunWithoutSecrets shows why a secret is not there, whatever it is for.
func TestDryRunWithoutSecrets(t *testing.T) {
	t.Parallel()
	none := func(context.Context) (secret.Secret, error) { return secret.Secret{}, errors.New("it is\n lost") }
	for _, c := range []struct {
		auth ClientAuth
		want string
	}{
		{Basic{ClientID: "a", Secret: none}, `Authorization: Basic [id a, secret not fetched: "it is\n lost"]`},
		{Post{ClientID: "a", Secret: none}, `client_secret=[secret not fetched: "it is\n lost"]`},
		{PrivateKeyJWT{ClientID: "a", KeyID: "k1", Key: none}, `client_assertion=[jwt {"alg":"ES256","kid":"k1","typ":"JWT"} {"iss":"a",`},
	} {
		r := machineRequest(endpointOf(t, "https://id.example"))
		r.Auth = c.auth
		r.Secrets = map[string]secret.Func{"password": none}
		text := dryRun(t, r, length)
		if !strings.Contains(text, c.want) || !strings.Contains(text, `password=[password not fetched: "it is\n lost"]`) {
			t.Errorf("%s: got:\n%s", c.auth.Method(), text)
		}
	}
}

// TestOneFingerprintInEveryEncoding shows that a secret is recognised however it
// travels.
func TestOneFingerprintInEveryEncoding(t *testing.T) {
	t.Parallel()
	const odd = "p+q/r=%&:é s"
	for _, auth := range []ClientAuth{
		Basic{ClientID: "a", Secret: secretOf(odd)},
		Basic{ClientID: "a:b", Secret: secretOf(odd), Encoding: FormEncoded},
		Post{ClientID: "a", Secret: secretOf(odd)},
	} {
		r := machineRequest(endpointOf(t, "https://id.example"))
		r.Auth = auth
		var digested []string
		text := dryRun(t, r, func(s string) string {
			digested = append(digested, s)
			return "3f9a21"
		})
		if !slices.Equal(digested, []string{odd}) || !strings.Contains(text, "secret 3f9a21]") {
			t.Errorf("%s: fingerprints of %q in\n%s", auth.Method(), digested, text)
		}
		if strings.Contains(text, "p+q") || strings.Contains(text, "p%2B") {
			t.Errorf("%s: the secret is shown:\n%s", auth.Method(), text)
		}
	}
}

func TestDryRunOfAssertion(t *testing.T) {
	t.Parallel()
	r := machineRequest(endpointOf(t, "https://id.example"))
	key := keyText(t, newECKey(t))
	r.Auth = PrivateKeyJWT{ClientID: "demo-client", KeyID: "k1", Key: secretOf(key)}
	text := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllString(dryRun(t, r, length), "JTI")
	want := `client_assertion=[jwt {"alg":"ES256","kid":"k1","typ":"JWT"} {"iss":"demo-client","sub":"demo-client",` +
		`"aud":"https://id.example/oauth/token","jti":"JTI","iat":1933156795,"exp":1933156855}, signature withheld]` + "\n" +
		"client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\n"
	if !strings.Contains(text, want) {
		t.Errorf("got:\n%s\nwant in it:\n%s", text, want)
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	s := serve(t, answerWith(401, "application/json", `{"error":"invalid_client","error_description":"fake-body"}`))
	var lines []string
	c, _ := newClient(t)
	tell := func(e *network.Exchange) { lines = append(lines, e.Line()) }
	c.HTTP.Transport = &network.Observer{Base: c.HTTP.Transport, Tell: tell, Now: atNoon}
	_, err := c.Token(t.Context(), machineRequest(endpointOf(t, s.URL)))
	if _, ok := errors.AsType[*Error](err); !ok {
		t.Errorf("%T %v", err, err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://u:fake-pw@id.example/x?k=fake-query", nil)
	broken := &network.Observer{Base: failing{errors.New("fake-error")}, Tell: tell, Now: atNoon}
	if _, err := broken.RoundTrip(req); err == nil {
		t.Error("the error is lost")
	}
	want := []string{"POST " + s.URL + "/oauth/token 401 0ms", "GET https://id.example/x no reply 0ms"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}
