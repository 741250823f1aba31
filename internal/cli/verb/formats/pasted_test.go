package formats

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

const pastedJWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIiwiZXhwIjoxMDAwMDAwMDAwfQ."

func TestFindTokenInWhatAuthctlPrints(t *testing.T) {
	t.Parallel()
	at, on := "2001-09-09T01:46:40Z", int64(1000000000)
	for _, token := range []string{pastedJWT, "fake-opaque/token+==", `a'b"c\d$e`, "a%0A;]b", "fake"} {
		p := Token{
			AccessToken: token, TokenType: "Bearer", ExpiresAt: &at, ExpiresOn: &on, headers: []string{"X-Api-Key: fake-key"},
		}
		for _, format := range Names() {
			text, err := p.format(Form{format: format, variable: "CALLS", apiVersion: credentialGroup + "v1"})
			if err != nil {
				continue // it is no plain token
			}
			found, ok := Find(text)
			if !ok || found.Token != token {
				t.Errorf("-o %s: found %q in %q, want %q", format, found.Token, text, token)
			}
			told := []string{"json", "env", "fish", "powershell", "dotenv", "exec-credential"}
			if strings.Contains(strings.Join(told, " "), format) && found.Expiry.Unix() != on {
				t.Errorf("-o %s: the end is %v, want %s", format, found.Expiry, at)
			}
		}
		for _, text := range []string{pair("CALLS", token), "CALLS<<ghadelimiter_X\n" + token + "\nghadelimiter_X\n"} {
			if found, _ := Find(text); found.Token != token {
				t.Errorf("found %q in %q", found.Token, text)
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
		if found, _ := Find(text); found.Token != want {
			t.Errorf("found %q in %q, want %q", found.Token, text, want)
		}
	}
}

func FuzzFindToken(f *testing.F) {
	f.Add("export X='a'\\''b'")
	f.Add("\xff\xfea")
	f.Add("X<<E\n")
	f.Fuzz(func(t *testing.T, text string) {
		if found, ok := Find(text); ok != (found.Token != "") {
			t.Errorf("%q: %q, %t", text, found.Token, ok)
		}
	})
}
