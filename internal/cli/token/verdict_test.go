package token

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

const pastedJWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIiwiZXhwIjoxMDAwMDAwMDAwfQ."

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
