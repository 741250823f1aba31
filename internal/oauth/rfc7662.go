package oauth

// Introspected is what RFC 7662 §2.2 wants of a reply: it says if the token is active.
func Introspected() Success {
	return Success{Values: map[string][]string{"active": {"true", "false"}}}
}
