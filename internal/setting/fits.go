package setting

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
)

// fitsHost takes what a HostRule is written as.
func fitsHost(text string) (problem, help string) {
	if _, err := network.ParseHostRule(text); err != nil {
		return "cannot be used: " + err.Error(), "write api.example.com, api.example.com:8443 or *.example.com"
	}
	return "", ""
}

// fitsPort takes the number of a port, or 0.
func fitsPort(text string) (problem, help string) {
	if _, err := strconv.ParseUint(text, 10, 16); err != nil {
		return "is not a port", "write a number up to 65535, or 0 for a free one"
	}
	return "", ""
}

// fitsResource takes an absolute URI without a fragment (RFC 8707 §2).
func fitsResource(text string) (problem, help string) {
	u, err := url.Parse(text)
	if err != nil || !u.IsAbs() || u.Opaque+u.Host+u.Path == "" || strings.Contains(text, "#") {
		return "is not an absolute URI without a fragment (RFC 8707 §2)",
			"write it as https://api.example.com; what is no URI may be an audience"
	}
	return "", ""
}

// fitsTokenType takes what oauth.TokenType does (RFC 8693 §3).
func fitsTokenType(text string) (problem, help string) {
	_, err := oauth.TokenType(text)
	if wrong, ok := errors.AsType[*oauth.RequestError](err); ok {
		return "is no type of a token", wrong.Hint
	}
	return "", ""
}
