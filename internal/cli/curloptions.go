package cli

import "strings"

// curlKind is what an option of curl means for reading its command line.
type curlKind int

const (
	// curlUnknown is an option that this program cannot judge.
	curlUnknown curlKind = iota
	// curlSwitch takes no value.
	curlSwitch
	// curlValue takes the rest of its argument or the next one.
	curlValue
	// curlRefused is known, and not to be used with a token; see refusedOption.
	curlRefused
)

// curlOption returns what a long option means, without its dashes. It knows those of
// HTTP of curl 7.58 to 8.16 (https://curl.se/docs/manpage.html), by their full names.
func curlOption(name string) curlKind {
	if refusedOption(name) != "" {
		return curlRefused
	}
	switch name {
	case "alpn", "buffer", "ca-native", "cert-status", "clobber", "compressed", "create-dirs", "crlf", "disable",
		"disallow-username-in-url", "doh-cert-status", "fail", "fail-early", "fail-with-body", "false-start", "follow",
		"form-escape", "get", "globoff", "haproxy-protocol", "head", "http0.9", "http1.0", "http1.1", "http2",
		"http2-prior-knowledge", "http3", "http3-only", "ignore-content-length", "include", "insecure", "ipv4", "ipv6",
		"junk-session-cookies", "keepalive", "location", "mptcp", "npn", "parallel", "parallel-immediate", "path-as-is",
		"post301", "post302", "post303", "progress-bar", "progress-meter", "proxy-anyauth", "proxy-basic",
		"proxy-ca-native", "proxy-digest", "proxy-http2", "proxy-insecure", "proxy-negotiate", "proxy-ntlm",
		"proxy-tlsv1", "proxytunnel", "raw", "remote-header-name", "remote-name", "remote-name-all", "remote-time",
		"remove-on-error", "retry-all-errors", "retry-connrefused", "sessionid", "show-error", "show-headers", "silent",
		"skip-existing", "ssl-auto-client-cert", "ssl-no-revoke", "ssl-revoke-best-effort", "styled-output",
		"suppress-connect-headers", "tcp-fastopen", "tcp-nodelay", "tls-earlydata", "tlsv1", "tlsv1.0", "tlsv1.1",
		"tlsv1.2", "tlsv1.3", "tr-encoding", "trace-time", "use-ascii", "verbose", "xattr":
		return curlSwitch
	case "alt-svc", "cacert", "capath", "cert", "cert-type", "ciphers", "connect-timeout", "connect-to", "continue-at",
		"cookie", "cookie-jar", "create-file-mode", "crlfile", "curves", "data", "data-ascii", "data-binary", "data-raw",
		"data-urlencode", "dns-interface", "dns-ipv4-addr", "dns-ipv6-addr", "dns-servers", "doh-url", "dump-header",
		"etag-compare", "etag-save", "expect100-timeout", "form", "form-string", "happy-eyeballs-timeout-ms",
		"haproxy-clientip", "header", "hsts", "interface", "ip-tos", "json", "keepalive-cnt", "keepalive-time", "key",
		"key-type", "limit-rate", "local-port", "max-filesize", "max-redirs", "max-time", "noproxy", "output",
		"output-dir", "parallel-max", "pass", "pinnedpubkey", "preproxy", "proto", "proxy",
		"proxy-cacert", "proxy-capath", "proxy-cert", "proxy-cert-type", "proxy-ciphers", "proxy-crlfile",
		"proxy-header", "proxy-key", "proxy-key-type", "proxy-pass", "proxy-pinnedpubkey", "proxy-tls13-ciphers",
		"proxy-user", "proxy1.0", "range", "rate", "referer", "request", "request-target", "resolve", "retry",
		"retry-delay", "retry-max-time", "socks4", "socks4a", "socks5", "socks5-hostname", "speed-limit", "speed-time",
		"time-cond", "tls-max", "tls13-ciphers", "upload-file", "url", "url-query", "user-agent", "vlan-priority",
		"write-out":
		return curlValue
	}
	return curlUnknown
}

// refusedOption returns why an option cannot be used, empty when it can.
func refusedOption(name string) string {
	if strings.HasPrefix(name, "expand-") {
		return "a value that curl puts together cannot be judged"
	}
	switch name {
	case "config", "variable":
		return "what it reads cannot be judged; write its options as arguments"
	case "next":
		return "the token goes with one set of options; call authctl curl once for each"
	case "location-trusted":
		return "it sends the token to whatever host the service redirects to"
	case "proto-redir":
		return "authctl sets it: a redirect must not leave https"
	case "metalink", "ipfs-gateway":
		return "it asks hosts that are not named on the command line"
	case "unix-socket", "abstract-unix-socket":
		return "it sends the token to a process on this machine and not to the host"
	case "libcurl", "trace", "trace-ascii", "trace-config", "trace-ids", "stderr":
		return "it can write the token into a file; -v shows the request without it"
	case "anyauth", "aws-sigv4", "basic", "delegation", "digest", "login-options", "negotiate", "netrc", "netrc-file",
		"netrc-optional", "ntlm", "ntlm-wb", "oauth2-bearer", "service-name", "user":
		return "the token is the authorization"
	case "help", "manual", "version":
		return "ask curl itself"
	}
	return ""
}

// curlLetter returns the long name of a one-letter option, empty when there is none of
// HTTP.
func curlLetter(letter byte) string {
	const letters = "#0146:ABCDEFGHIJKLMNORSTUVXYZbcdefghijkmnopqrsuvwxyz"
	at := strings.IndexByte(letters, letter)
	if at < 0 {
		return ""
	}
	return []string{
		"progress-bar", "http1.0", "tlsv1", "ipv4", "ipv6", "next", "user-agent", "use-ascii", "continue-at",
		"dump-header", "cert", "form", "get", "header", "head", "remote-header-name", "config", "location", "manual",
		"no-buffer", "remote-name", "remote-time", "show-error", "upload-file", "proxy-user", "version", "request",
		"speed-limit", "parallel", "cookie", "cookie-jar", "data", "referer", "fail", "globoff", "help", "include",
		"junk-session-cookies", "insecure", "max-time", "netrc", "output", "proxytunnel", "disable", "range", "silent",
		"user", "verbose", "write-out", "proxy", "speed-time", "time-cond",
	}[at]
}
