package cli

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/authctl/authctl/internal/secret"
)

const pastedJWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIiwiZXhwIjoxMDAwMDAwMDAwfQ."

func TestFindTokenInWhatAuthctlPrints(t *testing.T) {
	t.Parallel()
	at, on := "2001-09-09T01:46:40Z", int64(1000000000)
	for _, token := range []string{pastedJWT, "fake-opaque/token+==", `a'b"c\d$e`, "a%0A;]b", "fake"} {
		p := printed{
			AccessToken: token, TokenType: "Bearer", ExpiresAt: &at, ExpiresOn: &on, headers: []string{"X-Api-Key: fake-key"},
		}
		for _, format := range tokenFormats() {
			text, err := p.format(form{format: format, variable: "CALLS", apiVersion: credentialGroup + "v1"})
			if err != nil {
				continue // it is no plain token
			}
			found, ok := findToken(text)
			if !ok || found.token != token {
				t.Errorf("-o %s: found %q in %q, want %q", format, found.token, text, token)
			}
			told := []string{"json", "env", "fish", "powershell", "dotenv", "exec-credential"}
			if strings.Contains(strings.Join(told, " "), format) && found.expiry.Unix() != on {
				t.Errorf("-o %s: the end is %v, want %s", format, found.expiry, at)
			}
		}
		for _, text := range []string{pair("CALLS", token), "CALLS<<ghadelimiter_X\n" + token + "\nghadelimiter_X\n"} {
			if found, _ := findToken(text); found.token != token {
				t.Errorf("found %q in %q", found.token, text)
			}
		}
	}
}

func TestFindTokenInWhatPeoplePaste(t *testing.T) {
	t.Parallel()
	wide := binary.LittleEndian.AppendUint16(nil, 0xFEFF)
	for _, unit := range utf16.Encode([]rune("Bearer " + pastedJWT + "\r\n")) {
		wide = binary.LittleEndian.AppendUint16(wide, unit)
	}
	for text, want := range map[string]string{
		" \n" + pastedJWT + "\r\n": pastedJWT, "\uFEFF" + pastedJWT: pastedJWT, string(wide): pastedJWT,
		"'" + pastedJWT + "'": pastedJWT, `"` + pastedJWT + `"`: pastedJWT, "`" + pastedJWT + "`": pastedJWT,
		"“" + pastedJWT + "”": pastedJWT, "bearer " + pastedJWT: pastedJWT, "BEARER  " + pastedJWT: pastedJWT,
		"authorization: bearer " + pastedJWT:                                              pastedJWT,
		"Bearer: " + pastedJWT:                                                            pastedJWT,
		`curl -H "Authorization: Bearer ` + pastedJWT + `" https://x`:                     pastedJWT,
		"GET / HTTP/1.1\nHost: x\nAuthorization: Bearer " + pastedJWT + "\nAccept: */*\n": pastedJWT,
		`{"Authorization": "Bearer ` + pastedJWT + `"}`:                                   pastedJWT,
		`{"access_token":"` + pastedJWT + `","token_type":"Bearer","expires_in":300}`:     pastedJWT,
		"{\n  \"access_token\": \"" + pastedJWT + "\",\n  \"id_token\": \"other\"\n}":     pastedJWT,
		`  "access_token": "` + pastedJWT + `",`:                                          pastedJWT,
		`{"id_token":"` + pastedJWT + `"}`:                                                pastedJWT,
		`{"token":"fake","expires_on":"1000000000"}`:                                      "fake",
		"# comment\nexport X=" + pastedJWT:                                                pastedJWT,
		"set X=fake":                                                                      "fake",
		`X="fa ke"`:                                                                       "fa ke",
		"fake==":                                                                          "fake==",
		"fake=":                                                                           "fake=",
		pastedJWT[:20] + "\n" + pastedJWT[20:40] + "\n" + pastedJWT[40:]:                  pastedJWT,
		"'Bearer " + pastedJWT + "'":                                                      pastedJWT,
		"DPoP " + pastedJWT:                                                               pastedJWT,
		"X-Amz-Token: " + pastedJWT:                                                       pastedJWT,
		"<" + pastedJWT + ">":                                                             pastedJWT,
		"Bearer:" + pastedJWT:                                                             pastedJWT,
		`["` + pastedJWT + `"]`:                                                           pastedJWT,
		"https://x/cb#access_token=" + pastedJWT + "&expires_in=3":                        pastedJWT,
		"token " + pastedJWT + " and " + pastedJWT + "x":                                  "",
		"": "", "  \n": "", "two words": "", "one\ntwo": "", "{}": "", `["a"]`: "", `""`: "", "''": "",
	} {
		if found, _ := findToken(text); found.token != want {
			t.Errorf("found %q in %q, want %q", found.token, text, want)
		}
	}
}

func FuzzFindToken(f *testing.F) {
	f.Add("export X='a'\\''b'")
	f.Add("\xff\xfea")
	f.Add("X<<E\n")
	f.Fuzz(func(t *testing.T, text string) {
		if found, ok := findToken(text); ok != (found.token != "") {
			t.Errorf("%q: %q, %t", text, found.token, ok)
		}
	})
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000000000, 0)
	for _, c := range []struct{ kind, alg, claims, want string }{
		{"jwt", "RS256", `{"exp":1000000300}`, "valid for 5m"},
		{"jwt", "RS256", `{"exp":1000000300.7}`, "valid for 5m"},
		{"jwt", "RS256", `{"exp":1000000000}`, "expired 0s ago"},
		{"jwt", "RS256", `{"exp":999740800}`, "expired 3d ago"},
		{"jwt", "RS256", `{"exp":1000000300,"nbf":1000000060}`, "not yet valid, in 1m"},
		{"jwt", "RS256", `{"exp":1000000300,"nbf":1000000000}`, "valid for 5m"},
		{"jwt", "RS256", `{"exp":999999999,"nbf":1000000060}`, "expired 1s ago"},
		{"jwt", "RS256", `{"exp":"soon"}`, "it has no end (exp)"},
		{"jwt", "RS256", `{"exp":1e300,"nbf":1e300}`, "it has no end (exp)"},
		{"jwt", "RS256", `{"exp":-1,"nbf":-1e300}`, "it has no end (exp)"},
		{"jwt", "none", `{"exp":1000000300}`, "valid for 5m; alg: none, so nobody signed it and anybody may have made it"},
		{"jwt", "NoNe", `{}`, "it has no end (exp); alg: none, so nobody signed it and anybody may have made it"},
		{"opaque", "", "", ""},
		{"jwe", "dir", "", ""},
	} {
		i := inspected{Kind: c.kind, Claims: json.RawMessage(c.claims)}
		if c.alg != "" {
			i.Header = json.RawMessage(`{"alg":"` + c.alg + `"}`)
		}
		i.judge(time.Time{}, now)
		if i.Verdict != c.want {
			t.Errorf("%+v: %q", c, i.Verdict)
		}
	}
	for kind, want := range map[string]string{"opaque": "valid for 5m", "jwe": "valid for 5m"} {
		i := inspected{Kind: kind}
		if i.judge(now.Add(5*time.Minute), now); i.Verdict != want {
			t.Errorf("%s with an end that was told: %q, want %q", kind, i.Verdict, want)
		}
	}
}

func TestJWEIsNamed(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{
		"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..fake.fake.fake": "jwe",
		"eyJhbGciOiJkaXIifQ..fake.fake.fake":                      "opaque",
		"a.b.c.d.e":                                               "opaque", pastedJWT: "jwt", "fake": "opaque",
	} {
		if got := decoded(secret.New(token)).Kind; got != want {
			t.Errorf("%s: %s, want %s", token, got, want)
		}
	}
}
