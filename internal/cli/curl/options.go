package curl

import "strings"

// option is what an option of curl means for reading its command line.
type option struct {
	// takes says that it has a value: the rest of its argument or the next one.
	takes bool
	// lines says that the value may have more than one.
	lines bool
	// refused is why it cannot be used with a token, empty when it can.
	refused string
}

// options are those of curl that can be judged.
type options struct {
	// names has them by their long names, without dashes and without no-.
	names map[string]option
	// letters has the long names of those that have a letter.
	letters map[string]string
}

// knownOptions returns those of HTTP of curl 7.58 to 8.16 (https://curl.se/docs/manpage.html),
// by their full names.
func knownOptions() options {
	o := options{names: map[string]option{}, letters: map[string]string{}}
	o.add(switches, option{})
	o.add(valued, option{takes: true})
	o.add(bodies, option{takes: true, lines: true})
	for why, names := range refused() {
		o.add(names, option{refused: why})
	}
	return o
}

// add notes options of one kind: NAME, or LETTER,NAME for one that has a letter.
func (o options) add(words string, kind option) {
	for name := range strings.FieldsSeq(words) {
		if letter, long, ok := strings.Cut(name, ","); ok {
			o.letters[letter], name = long, long
		}
		o.names[strings.TrimPrefix(name, "no-")] = kind
	}
}

// find returns an option by its long name.
func (o options) find(name string) (option, bool) {
	if strings.HasPrefix(name, "expand-") {
		return option{refused: "a value that curl puts together cannot be judged"}, true
	}
	found, ok := o.names[name]
	return found, ok
}

const (
	// switches take no value.
	switches = `
		alpn N,no-buffer ca-native cert-status clobber compressed create-dirs crlf q,disable disallow-username-in-url
		doh-cert-status f,fail fail-early fail-with-body false-start follow form-escape G,get g,globoff
		haproxy-protocol I,head http0.9 0,http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only
		ignore-content-length i,include k,insecure 4,ipv4 6,ipv6 j,junk-session-cookies keepalive L,location mptcp npn
		Z,parallel parallel-immediate path-as-is post301 post302 post303 #,progress-bar progress-meter proxy-anyauth
		proxy-basic proxy-ca-native proxy-digest proxy-http2 proxy-insecure proxy-negotiate proxy-ntlm proxy-tlsv1
		p,proxytunnel raw J,remote-header-name O,remote-name remote-name-all R,remote-time remove-on-error
		retry-all-errors retry-connrefused sessionid S,show-error show-headers s,silent skip-existing
		ssl-auto-client-cert ssl-no-revoke ssl-revoke-best-effort styled-output suppress-connect-headers tcp-fastopen
		tcp-nodelay tls-earlydata 1,tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace-time B,use-ascii v,verbose
		xattr`
	// valued take one, and bodies one that may have lines.
	valued = `
		alt-svc cacert capath E,cert cert-type ciphers connect-timeout connect-to C,continue-at b,cookie c,cookie-jar
		create-file-mode crlfile curves dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url D,dump-header
		etag-compare etag-save expect100-timeout happy-eyeballs-timeout-ms haproxy-clientip H,header hsts interface
		ip-tos keepalive-cnt keepalive-time key key-type limit-rate local-port max-filesize max-redirs m,max-time
		noproxy o,output output-dir parallel-max pass pinnedpubkey preproxy proto x,proxy proxy-cacert proxy-capath
		proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass
		proxy-pinnedpubkey proxy-tls13-ciphers U,proxy-user proxy1.0 r,range rate e,referer X,request request-target
		resolve retry retry-delay retry-max-time socks4 socks4a socks5 socks5-hostname Y,speed-limit y,speed-time
		z,time-cond tls-max tls13-ciphers T,upload-file url A,user-agent vlan-priority`
	bodies = `
		d,data data-ascii data-binary data-raw data-urlencode F,form form-string json url-query w,write-out`
)

// refused are the options that are known and not to be used with a token, by the reason.
func refused() map[string]string {
	return map[string]string{
		"what it reads cannot be judged; write its options as arguments":          "K,config variable",
		"the token goes with one set of options; call authctl curl once for each": ":,next",
		"it sends the token to whatever host the service redirects to":            "location-trusted",
		"authctl sets it: a redirect must not leave https":                        "proto-redir",
		"it asks hosts that are not named on the command line":                    "metalink ipfs-gateway",
		"it sends the token to a process on this machine and not to the host":     "unix-socket abstract-unix-socket",
		"it can write the token into a file; -v shows the request without it": `
			libcurl trace trace-ascii trace-config trace-ids stderr`,
		"the token is the authorization": `
			anyauth aws-sigv4 basic delegation digest login-options negotiate n,netrc netrc-file netrc-optional ntlm
			ntlm-wb oauth2-bearer service-name u,user`,
		"ask curl itself": "h,help M,manual V,version",
	}
}
