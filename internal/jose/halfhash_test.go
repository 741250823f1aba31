package jose

import (
	"testing"

	"github.com/authctl/authctl/internal/secret"
)

// TestIsHalfHash has the example of OpenID Connect Core, appendix A.3 for SHA-256, and for the
// others what openssl dgst says.
func TestIsHalfHash(t *testing.T) {
	t.Parallel()
	token := secret.New("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
	for algorithm, hash := range map[string]string{
		"RS256": "77QmUPtjPfzWtF2AnpK9RQ", "PS384": "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs", "ES512": "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM", "EdDSA": "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM",
	} {
		if !IsHalfHash(algorithm, hash, token) {
			t.Errorf("%s: %s is refused", algorithm, hash)
		}
		if IsHalfHash(algorithm, hash, secret.New("fake-other")) || IsHalfHash(algorithm, hash[1:], token) || IsHalfHash(algorithm, "", token) {
			t.Errorf("%s: another hash is taken", algorithm)
		}
	}
	if IsHalfHash("none", "", token) || IsHalfHash("", "77QmUPtjPfzWtF2AnpK9RQ", token) {
		t.Error("no algorithm has a hash")
	}
}
