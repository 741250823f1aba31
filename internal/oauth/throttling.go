package oauth

import "strings"

// shapeName returns the bare name of an error as AWS writes them, in __type and in the
// header x-amzn-ErrorType: "com.amazonaws.apigateway#TooManyRequestsException",
// "TooManyRequestsException:http://internal.amazon.com/coral/…"
// (https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html).
func shapeName(kind string) string {
	kind, _, _ = strings.Cut(kind, ":")
	return strings.TrimSpace(kind[strings.LastIndex(kind, "#")+1:])
}

// throttles reports whether an error's code says that the service is asked too often.
// Services write it in many ways, and some with the status 400 (the retryable codes of
// the AWS SDKs, RFC 8628 §3.5's slow_down): case, "_", "-" and blanks do not count.
func throttles(code string) bool {
	word := strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-. ", r) {
			return -1
		}
		return r
	}, strings.ToLower(shapeName(code)))
	for _, part := range []string{
		"throttl", "toomanyrequests", "ratelimit", "rateexceeded", "slowdown", "requestlimitexceeded",
		"bandwidthlimitexceeded", "throughputexceeded", "limitexceededexception", "priorrequestnotcomplete",
	} {
		if strings.Contains(word, part) {
			return true
		}
	}
	return false
}

// throttlesInWords is throttles for an error's text, as API gateways write it.
func throttlesInWords(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "too many requests") || strings.Contains(text, "rate exceeded")
}
