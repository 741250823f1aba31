package secret

import "testing"

func TestMayBeToken(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIn0.": true,
		"Bearer fake":                                           true,
		"Authorization: bearer fake":                            true,
		"fa4efa4e-0000-4000-8000-0123456789ab":                  true,
		"00000000-0000-4000-8000-000000000000":                  true,
		"0123456789abcdef0123456789abcdef":                      true,
		"deadbeefdeadbeefdeadbeefdeadbeef":                      true,
		"fakefakefake0fakefake":                                 true,
		"-aB3-dE6_gH9-jK2_mN5-pQ8":                              true,
		"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYY": true,
		"": false, "calls": false, "Calls": false, "my profile": false, "acme-production-talkdesk-eu-west-1": false,
		"talkdesk2024": false, "com.qmatic.saas.appointments/external.appointment.book": false,
		"engage:appointments:readOnly": false, "genesys-password": false, "nothing": false,
		"/tmp/TestScripts1234567890/001/config.yaml": false, "https://api.example.com/v1/0123456789abcdef0123": false,
		`C:\Users\jane0123456789abcdef\config.yaml`: false, "./0123456789abcdef0123456789abcdef": false,
		"http://127.0.0.1:1234/": false, "--scope": false, "-o": false,
	} {
		if got := MayBeToken(text); got != want {
			t.Errorf("MayBeToken(%q) = %t, want %t", text, got, want)
		}
	}
}
