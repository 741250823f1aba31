package oauth

import "encoding/json"

// Introspection returns what an introspection endpoint says of a token, a JSON
// object as it came, when it says if the token is active (RFC 7662 §2.2), else a
// *ReplyError. The strings in it are remote text.
func (r *Reply) Introspection() (json.RawMessage, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	m, _ := parseObject(body)
	if active := string(m["active"]); active != "true" && active != "false" {
		return nil, r.unusable("it does not say if the token is active")
	}
	return body, nil
}
