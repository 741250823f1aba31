package openid

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
)

// leeway is how far two clocks may differ (OpenID Connect Core §3.1.3.7, "a few minutes").
const leeway = 2 * time.Minute

// IDToken is what the ID token of a login has to be (OpenID Connect Core §3.1.3.7).
type IDToken struct {
	// Issuer is its iss; empty where nobody knows it.
	Issuer string
	// ClientID must be in its aud.
	ClientID string
	// Algorithms are those that the issuer announces; RS256 where it announces none. With
	// AnyAlgorithm there is no issuer to announce any.
	Algorithms   []string
	AnyAlgorithm bool
	// Nonce is the one that was sent; a zero one is not compared.
	Nonce secret.Secret
	// AccessToken is the one that came with it, which at_hash is compared with.
	AccessToken secret.Secret
	// Now is the time.
	Now time.Time
}

// CheckNonce compares the nonce of an ID token with the one that was sent, and nothing else. The
// error is jose.ErrNotJWT or a *jose.JWTError. The ID token came from the token endpoint over
// TLS, which OpenID Connect Core §3.1.3.7 takes in place of its signature.
func CheckNonce(idToken, nonce secret.Secret) error {
	j, err := jose.ParseJWT(idToken)
	if err != nil {
		return err
	}
	return wrong(nonceProblem(j.Text("nonce"), nonce))
}

func nonceProblem(got string, sent secret.Secret) string {
	switch {
	case got == "":
		return "the ID token has no nonce"
	case !sent.Equal(secret.New(got)):
		return "the ID token's nonce is not the one that was sent"
	}
	return ""
}

func wrong(problem string) error {
	if problem == "" {
		return nil
	}
	return &jose.JWTError{Problem: problem}
}

// Check checks the token, with the issuer's keys its signature. They are nil for an issuer that
// publishes none: the token came from the token endpoint over TLS, which the standard takes in the
// place of a signature. The error is a *jose.JWTError.
func (t IDToken) Check(j *jose.JWT, keys *jose.KeySet) error {
	if problem := t.algorithmProblem(j.Algorithm()); problem != "" {
		return wrong(problem)
	}
	if keys != nil {
		if err := keys.CheckSignature(j); err != nil {
			return err
		}
	}
	claims, problem := parseObject(j.Claims)
	if problem != "" {
		return wrong("the ID token's claims cannot be used: " + problem)
	}
	for _, check := range []func(object) string{t.issuerProblem, subjectProblem, t.audienceProblem, t.timeProblem} {
		if problem := check(claims); problem != "" {
			return wrong(problem)
		}
	}
	if problem := t.boundProblem(claims, j); problem != "" {
		return wrong(problem)
	}
	return nil
}

// algorithmProblem refuses what proves nothing to who has public keys only, whatever the issuer
// announces, and what it does not announce.
func (t IDToken) algorithmProblem(algorithm string) string {
	announced := t.Algorithms
	if len(announced) == 0 {
		announced = []string{"RS256"} // OpenID Connect Dynamic Registration §2
	}
	switch {
	case !jose.IsPublicAlgorithm(algorithm):
		return "the ID token's algorithm is " + secret.Quote(algorithm) + ", which proves nothing to who has public keys only"
	case !t.AnyAlgorithm && !slices.Contains(announced, algorithm):
		return "the ID token's algorithm is " + secret.Quote(algorithm) + ", and the issuer announces " +
			secret.CleanText(strings.Join(announced, " ")) + " alone"
	}
	return ""
}

func (t IDToken) issuerProblem(claims object) string {
	got, _ := claims.text("iss")
	if t.Issuer != "" && got != t.Issuer {
		return "the ID token's issuer is " + secret.Quote(got) + ", not " + secret.Quote(t.Issuer)
	}
	return ""
}

func subjectProblem(claims object) string {
	switch string(claims["sub"]) {
	case "", "null", `""`, "{}", "[]":
		return "the ID token has no sub" // OpenID Connect Core §2; a number is somebody too
	}
	return ""
}

// audienceProblem says for whom a token is that is not for this client. A token for several has
// to say to whom it was given.
func (t IDToken) audienceProblem(claims object) string {
	var all []string
	if one, ok := claims.text("aud"); ok && one != "" {
		all = []string{one}
	} else if json.Unmarshal(claims["aud"], &all) != nil {
		return "the ID token has no aud that can be read"
	}
	party, ok := claims.text("azp")
	switch {
	case !slices.Contains(all, t.ClientID):
		return "the ID token is for " + secret.Quote(strings.Join(all, " ")) + ", not for this client"
	case !ok, party == "" && len(all) > 1:
		return "the ID token is for several, and does not say to whom it was given (azp)"
	case party != "" && party != t.ClientID:
		return "the ID token was given to " + secret.Quote(party) + " (azp), not to this client"
	}
	return ""
}

func (t IDToken) timeProblem(claims object) string {
	expires, hasExpiry := claims.moment("exp")
	issued, hasIssue := claims.moment("iat")
	from, bounded := claims.moment("nbf")
	switch {
	case !hasExpiry:
		return "the ID token has no exp that can be read"
	case !hasIssue:
		return "the ID token has no iat that can be read"
	case !t.Now.Before(expires.Add(leeway)):
		return "the ID token has expired, or this machine's clock is ahead"
	case issued.After(t.Now.Add(leeway)), bounded && from.After(t.Now.Add(leeway)):
		return "the ID token is of a time to come, or this machine's clock is behind"
	}
	return ""
}

// boundProblem looks at what ties the token to this login: the nonce, and the access token that
// came with it (§3.1.3.6), where it says so.
func (t IDToken) boundProblem(claims object, j *jose.JWT) string {
	if !t.Nonce.IsZero() {
		nonce, _ := claims.text("nonce")
		if problem := nonceProblem(nonce, t.Nonce); problem != "" {
			return problem
		}
	}
	if claims["at_hash"] == nil {
		return ""
	}
	if hash, ok := claims.text("at_hash"); !ok || !jose.IsHalfHash(j.Algorithm(), hash, t.AccessToken) {
		return "the ID token is not of the access token that came with it (at_hash)"
	}
	return ""
}
