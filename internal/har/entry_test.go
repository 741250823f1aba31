package har

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/network"
)

func TestHead(t *testing.T) {
	t.Parallel()
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, c := range []struct{ name, value, want string }{
		{"Authorization", "Bearer " + fakeToken, "Bearer WORD"},
		{"Authorization", "Bearer short", "Bearer WORD"},
		{"Authorization", basic("demo:fake%3Asecret"), "Basic demo:WORD"},
		{"Authorization", basic("no-colon"), "Basic WORD"},
		{"Authorization", "Basic %%%", "Basic WORD"},
		{"Authorization", fakeToken, "WORD"},
		{"Proxy-Authorization", basic("jane:fake"), "Basic jane:WORD"},
		{"Cookie", "a=b; session=" + fakeToken, "a=WORD; session=WORD"},
		{"Set-Cookie", "sid=abc; Path=/; Max-Age=60; HttpOnly", "sid=WORD; Path=/; Max-Age=60; HttpOnly"},
		{"Location", "https://app.example/cb?code=abc&state=x", "https://app.example/cb?code=WORD&state=WORD"},
		{"Location", "/next#access_token=abc", "/next#access_token=WORD"},
		{"Www-Authenticate", `Bearer realm="api", error="invalid_token", error_description="it is expired"`, `Bearer realm="api", error="invalid_token", error_description="it is expired"`},
		{"Www-Authenticate", "Negotiate " + base64.StdEncoding.EncodeToString([]byte("a ticket that is long")), "Negotiate WORD"},
		{"X-Vendor-Secret", "x", "WORD"},
		{"Content-Type", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded"},
		{"User-Agent", "authctl/1.2.3", "authctl/1.2.3"},
		{"Date", "Mon, 30 Nov 2026 13:03:03 GMT", "Mon, 30 Nov 2026 13:03:03 GMT"},
	} {
		e := newEraser()
		if shown := worded(e.field(c.name, c.value)); shown != c.want {
			t.Errorf("%s: %s is shown as %s, want %s", c.name, c.value, shown, c.want)
		}
	}
	e := newEraser()
	shown := cookies(e, http.Header{"Set-Cookie": {"sid=abc; Path=/", "x=y"}}, "Set-Cookie")
	if len(shown) != 2 || shown[0].Name != "sid" || !isWord(shown[0].Value) || shown[1].Name != "x" {
		t.Errorf("cookies %v", shown)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	const form, jsonType = "application/x-www-form-urlencoded", "application/json"
	var packed, deflated bytes.Buffer
	for _, w := range []interface {
		Write([]byte) (int, error)
		Close() error
	}{gzip.NewWriter(&packed), zlib.NewWriter(&deflated)} {
		_, _ = w.Write([]byte(`{"access_token":"abc","ok":true}`))
		_ = w.Close()
	}
	for _, c := range []struct{ name, kind, encoding, text, want string }{
		{"form", form, "", "grant_type=password&username=jane&password=a%26b&scope=a+b", "grant_type=password username=jane password=WORD scope=a b"},
		{
			"nested JSON", jsonType, "", `{"b":{"token":{"value":"x","id":"1"}},"a":[{"secret":["y",2]}],"n":1.50,"t":true,"z":null}`,
			`{"b":{"token":{"value":"WORD","id":"1"}},"a":[{"secret":["WORD","WORD"]}],"n":1.50,"t":true,"z":null}`,
		},
		{"a name twice", jsonType, "", `{"access_token":"x","access_token":"y"}`, `{"access_token":"WORD","access_token":"WORD"}`},
		{"JSON in JSON", jsonType, "", `{"inner":"{\"password\":\"x\"}"}`, `{"inner":"{\"password\":\"WORD\"}"}`},
		{"JSON under another name", "text/plain", "", ` {"access_token":"x"} `, `{"access_token":"WORD"}`},
		{"a list", jsonType, "", `["` + fakeToken + `","acme"]`, `["WORD","acme"]`},
		{"a string", jsonType, "", `"` + fakeToken + `"`, `"WORD"`},
		{"cut JSON", jsonType, "", `{"error":"x","access_token":"abc`, `{"error":"x","access_token":` + cutJSON},
		{"no JSON behind", jsonType, "", `{"a":1} access_token=abc`, `{"a":1}` + cutJSON},
		{
			"keys", jsonType, "", `{"keys":[{"kty":"RSA","kid":"` + fakeID + `","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx","e":"AQAB","d":"X4cTteJY"}]}`,
			`{"keys":[{"kty":"RSA","kid":"` + fakeID + `","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx","e":"AQAB","d":"WORD"}]}`,
		},
		{"a page", "text/html", "", `<input type="hidden" name="password" value="x"> <b>error 500</b> ` + fakeToken, `<input type="hidden" name="password" value="WORD"> <b>error 500</b> WORD`},
		{"a log line", "text/plain", "", "client_secret=blue Authorization: Bearer short1 password: \"red\"", "client_secret=WORD Authorization: Bearer WORD password: \"WORD\""},
		{"XML", "application/xml", "", "<r><accessToken>abc</accessToken><id>7</id></r>", "<r><accessToken>WORD</accessToken><id>7</id></r>"},
		{"a JWT", "application/jwt", "", fakeJWT(), `jwt {"alg":"ES256","kid":"k1"} {"iss":"demo","jti":"` + fakeID + `","sub":"jane","password":"WORD","act":{"sub":"bot"}}, signature WORD`},
		{"gzip", jsonType, "gzip", packed.String(), `{"access_token":"WORD","ok":true}`},
		{"deflate", jsonType, "deflate", deflated.String(), `{"access_token":"WORD","ok":true}`},
		{"cut gzip", jsonType, "gzip", packed.String()[:packed.Len()/2], "(anything)"},
		{"no gzip", jsonType, "gzip", "abc", ` (3 bytes that are not shown: they are not "gzip")`},
		{"another encoding", jsonType, "br", fakeToken, ` (28 bytes that are not shown: encoded as "br")`},
		{"no text", "application/octet-stream", "", "\xff\xfe\x00", " (3 bytes that are no text)"},
	} {
		e := newEraser()
		head := http.Header{"Content-Type": {c.kind}}
		if c.encoding != "" {
			head.Set("Content-Encoding", c.encoding)
		}
		b := e.body(head, network.Beginning{Text: []byte(c.text), Size: int64(len(c.text))})
		var shown []string
		for _, p := range b.params {
			shown = append(shown, p.Name+"="+p.Value)
		}
		got := worded(strings.Join(shown, " ") + b.text)
		if b.comment != "" {
			got += " (" + b.comment + ")"
		}
		if got != c.want && c.want != "(anything)" {
			t.Errorf("%s is shown as\n%s, want\n%s", c.name, got, c.want)
		}
		if strings.Contains(got, "abc") {
			t.Errorf("%s is shown as %s", c.name, got)
		}
	}
}

const cutJSON = " (what follows is cut or no JSON, and is not shown)"

// TestCutBodies shows no half of a secret: nobody would find it.
func TestCutBodies(t *testing.T) {
	t.Parallel()
	for kind, text := range map[string]string{
		"application/x-www-form-urlencoded": "grant_type=a&something=fake",
		"text/plain":                        "see fake",
		"application/json":                  `{"something":"fake`,
	} {
		e := newEraser()
		b := e.body(http.Header{"Content-Type": {kind}}, network.Beginning{Text: []byte(text), Size: 1000})
		shown := b.text
		for _, p := range b.params {
			shown += p.Value
		}
		if strings.Contains(shown, "fake") || !strings.Contains(b.comment, "cut: the first") {
			t.Errorf("%s: %q (%s)", kind, shown, b.comment)
		}
	}
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	w := multipart.NewWriter(&text)
	for name, value := range map[string]string{"client_secret": "abc", "grant_type": "password", "inner": `{"token":"abc"}`} {
		_ = w.WriteField(name, value)
	}
	file, _ := w.CreateFormFile("upload", "keys.txt")
	_, _ = file.Write([]byte("password=abc"))
	_ = w.Close()
	e := newEraser()
	head := http.Header{"Content-Type": {w.FormDataContentType()}}
	shown := map[string]string{}
	for _, p := range e.body(head, network.Beginning{Text: text.Bytes(), Size: int64(text.Len())}).params {
		shown[p.Name] = worded(p.Value) + p.FileName
	}
	for name, want := range map[string]string{
		"client_secret": "WORD", "grant_type": "password", "inner": `{"token":"WORD"}`, "upload": "password=WORDkeys.txt",
	} {
		if shown[name] != want {
			t.Errorf("%s is shown as %s, want %s", name, shown[name], want)
		}
	}
	cut := e.body(head, network.Beginning{Text: text.Bytes()[:text.Len()/3], Size: int64(text.Len())})
	for _, p := range cut.params {
		if strings.Contains(p.Value, "abc") {
			t.Errorf("of a cut one %s is shown as %s", p.Name, p.Value)
		}
	}
}
