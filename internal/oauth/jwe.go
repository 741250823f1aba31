package oauth

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// ParseJWE returns the header of an encrypted token in the compact form of RFC 7516 §7.1,
// a JSON object of remote text; ok is false when it is none. Nothing else of it can be
// read by others than the one whom it is for.
func ParseJWE(token Secret) (header json.RawMessage, ok bool) {
	text := strings.TrimSpace(token.Reveal())
	parts := strings.Split(text, ".")
	if len(text) > maxTokenSize || len(parts) != 5 {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	var named members
	if err != nil || !utf8.Valid(raw) || json.Unmarshal(raw, &named) != nil {
		return nil, false
	}
	return raw, named.word("enc") != "" // RFC 7516 §4.1.2 requires it
}
