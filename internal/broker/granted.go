package broker

import (
	"slices"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/tokenkey"
)

// everything is the scope that stands for all of them (Genesys).
const everything = "*"

// complete adds to an answer which scopes it lacks.
func (c *call) complete(answer Answer) Answer {
	if answer.Token.Scope != nil {
		answer.Missing = without(c.key.Scopes, answer.Token.Scope)
	}
	return answer
}

// Judge returns a token that was got in another way than by Token, with what it lacks.
func (b *Broker) Judge(r Request, token oauth.Token) Answer {
	return b.begin(r).complete(Answer{Token: token, Source: SourceIssued})
}

// lost returns the scopes that the token had which a new one takes the place of, and
// the new one has not.
func (c *cache) lost(token oauth.Token) []string {
	now := granted(c.key, token)
	if c.stored == nil || now == nil {
		return nil
	}
	return without(granted(c.key, c.stored.Token), now)
}

// granted are the scopes of a token: those of the reply, else those that were asked for
// (RFC 6749 §5.1); nil when neither says anything.
func granted(key tokenkey.Key, token oauth.Token) []string {
	if token.Scope != nil {
		return token.Scope
	}
	return key.Scopes
}

// without returns what of want is not in have.
func without(want, have []string) []string {
	if slices.Contains(have, everything) {
		return nil
	}
	var missing []string
	for _, scope := range want {
		if !slices.Contains(have, scope) && !slices.Contains(missing, scope) {
			missing = append(missing, scope)
		}
	}
	return missing
}
