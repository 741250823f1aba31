package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// What the hostile server is sent and gives away, and what it would have a terminal and a runner do.
const (
	hostileSecret   = "canary-Secret+42"
	hostilePassword = "canary-Password+43"
	hostileKey      = "canary-Key-44"
	hostileToken    = "canary.Token-45"
	hostileOrders   = "\x1b[31m\x1b]0;x\x07\r\n::stop-commands::x\r\n##vso[task.complete result=Succeeded;]\r\n##[error]x\u202e"
)

// hostileWords are in nearly every reply.
func hostileWords() string {
	return hostileOrders + " " + strings.Join(hostileSecrets(), " ") + " "
}

// hostileSecrets are what the server repeats, whether it was sent it or not.
func hostileSecrets() []string {
	list := []string{hostileSecret, hostilePassword, hostileKey, hostileToken}
	return append(list, inForms(hostileSecret, hostilePassword, hostileKey)...)
}

// inForms are secrets as they are and in the forms in which they are on the wire.
func inForms(secrets ...string) []string {
	list := []string{base64.StdEncoding.EncodeToString([]byte("client:" + hostileSecret))}
	for _, secret := range secrets {
		list = append(list, secret, url.QueryEscape(secret))
	}
	return list
}

// plainReply is a whole answer of HTTP/1.1 with its length.
func plainReply(status, contentType, body string, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n%s",
		status, contentType, len(body), strings.Join(append(headers, ""), "\r\n"), body)
}

func jsonReply(status, body string, headers ...string) string {
	return plainReply(status, "application/json", body, headers...)
}

// inJSON is hostileWords in a JSON string.
func inJSON() string { return quoteJSON(hostileWords()) }

func quoteJSON(s string) string {
	text, _ := json.Marshal(s) // a string always encodes
	return string(text)
}

// hostileBodies are answers to any question, by what is wrong with them.
func hostileBodies() map[string]string {
	words, text := hostileWords(), inJSON()
	token := `{"access_token":"fake-token","token_type":"Bearer","expires_in":600`
	var wide strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + `{"error":` + text + `}`)) {
		wide.WriteString(string([]byte{byte(unit), byte(unit >> 8)}))
	}
	return map[string]string{
		"a page":                     plainReply("200 OK", "text/html", "<html><title>"+words+"</title>"+words),
		"a page with 500":            plainReply("500 "+hostileSecret, "text/html", "<html><title>"+words+"</title>"),
		"a page with 403":            plainReply("403 No", "text/html; x="+hostileSecret, "<title>"+words),
		"text":                       plainReply("400 No", "text/plain", words),
		"no type":                    "HTTP/1.1 400 No\r\nContent-Length: 200\r\n\r\n" + words + strings.Repeat(" ", 200),
		"an error":                   jsonReply("400 Bad", `{"error":"invalid_request","error_description":`+text+`}`),
		"an error's code":            jsonReply("400 Bad", `{"error":`+text+`}`),
		"an error's address":         jsonReply("400 Bad", `{"error":"x","error_uri":`+text+`}`),
		"an error that is an object": jsonReply("401 No", `{"error":{"code":`+text+`,"message":`+text+`}}`),
		"an error that is a list":    jsonReply("401 No", `{"error":[`+text+`]}`),
		"a status of Genesys":        jsonReply("400 No", `{"status":{"code":1,"message":`+text+`,"detail":{`+text+`:`+text+`}}}`),
		"a good status with words":   jsonReply("200 OK", `{"status":{"code":0,"message":`+text+`},"data":{`+text+`:`+text+`}}`),
		"a message":                  jsonReply("403 No", `{"message":`+text+`,"code":`+text+`,"__type":`+text+`}`),
		"names":                      jsonReply("200 OK", `{`+text+`:`+text+`}`),
		"names with 400":             jsonReply("400 No", `{`+text+`:`+text+`}`),
		"a text in JSON":             jsonReply("200 OK", text),
		"a list in JSON":             jsonReply("200 OK", `[`+text+`]`),
		"null":                       jsonReply("200 OK", `null `+words),
		"JSON that ends early":       jsonReply("200 OK", `{"access_token":`+text),
		"JSON with more behind":      jsonReply("200 OK", token+`}`+words),
		"JSON that is very deep":     jsonReply("200 OK", strings.Repeat("[", 20000)+text),
		"a name that comes twice":    jsonReply("200 OK", `{"error":`+text+`,"access_token":"`+hostileSecret+`","access_token":1}`),
		"bytes that are no text":     jsonReply("400 No", "{\"error\":\"\xff\xfe\x80"+hostileSecret+"\"}"),
		"UTF-16":                     jsonReply("400 No", wide.String()),
		"a byte order mark":          jsonReply("400 No", "\ufeff"+`{"error":`+text+`}`),
		"nothing":                    jsonReply("200 OK", ""),
		"nothing with 400":           jsonReply("400 No", ""),
		"very much":                  plainReply("200 OK", "application/json", strings.Repeat(words, 40000)),
		"very much with 500":         plainReply("500 No", "text/plain", strings.Repeat(words, 40000)),
		"a token of another type":    jsonReply("200 OK", `{"access_token":"fake-token","expires_in":600,"token_type":`+text+`}`),
		"a token with orders":        jsonReply("200 OK", `{"access_token":`+quoteJSON(hostileOrders)+`,"token_type":"Bearer"}`),
		"a token that is no text":    jsonReply("200 OK", `{"access_token":{`+text+`:1},"token_type":"Bearer"}`),
		"a lifetime with orders":     jsonReply("200 OK", `{"access_token":"fake-token","token_type":"Bearer","expires_in":`+text+`}`),
		"a lifetime without end":     jsonReply("200 OK", `{"access_token":"fake-token","token_type":"Bearer","expires_in":1e400}`),
		"a negative lifetime":        jsonReply("200 OK", `{"access_token":"fake-token","token_type":"Bearer","expires_in":-1}`),
		"scopes with orders":         jsonReply("200 OK", token+`,"scope":`+text+`}`),
		"scopes in a list":           jsonReply("200 OK", token+`,"scope":[`+text+`]}`),
		"a session with orders":      jsonReply("200 OK", token+`,"sid":`+text+`,"session_state":`+text+`}`),
		"an ID token":                jsonReply("200 OK", token+`,"id_token":`+text+`}`),
		"a refresh token":            jsonReply("200 OK", token+`,"refresh_token":`+text+`}`),
	}
}

// hostileHeads are answers whose status, headers or framing are wrong.
func hostileHeads() map[string]string {
	words := strings.NewReplacer("\r", "", "\n", " ", "\x1b", "", "\x07", "").Replace(hostileWords())
	token := `{"access_token":"fake-token","token_type":"Bearer","expires_in":600}`
	good := jsonReply("200 OK", token)
	chunked := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	zipped := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return b.String()
	}
	return map[string]string{
		"no HTTP":                    "SSH-2.0-" + hostileWords() + "\r\n",
		"HTTP/0.9":                   hostileWords(),
		"a frame of HTTP/2":          "\x00\x00\x12\x04\x00\x00\x00\x00\x00" + hostileWords(),
		"a TLS alert":                "\x15\x03\x03\x00\x02\x02\x28" + hostileSecret,
		"nothing at all":             "",
		"a status line with words":   strings.Replace(good, "200 OK", "400 "+words+"\x1b[31m", 1),
		"a status that is a word":    strings.Replace(good, "200 OK", hostileSecret, 1),
		"status 99":                  jsonReply("099 X", `{"error":`+inJSON()+`}`),
		"status 299":                 jsonReply("299 X", `{"error":`+inJSON()+`}`),
		"status 418":                 jsonReply("418 X", `{"error":`+inJSON()+`}`),
		"status 451":                 jsonReply("451 X", words),
		"status 599":                 jsonReply("599 X", `{"error":`+inJSON()+`}`),
		"status 999":                 jsonReply("999 X", `{"error":`+inJSON()+`}`),
		"another protocol":           "HTTP/1.1 101 X\r\nUpgrade: " + words + "\r\nConnection: upgrade\r\n\r\n" + words,
		"hints before the answer":    "HTTP/1.1 103 " + words + "\r\nLink: <" + words + ">\r\n\r\n" + good,
		"many hints":                 strings.Repeat("HTTP/1.1 100 "+words+"\r\n\r\n", 50) + good,
		"a redirect":                 jsonReply("302 X", words, "Location: https://example.invalid/?s="+hostileSecret+"#"+words),
		"a redirect to a sign-in":    plainReply("302 X", "text/html", words, "Location: /sign-in?secret="+hostileSecret),
		"a redirect to nowhere":      jsonReply("307 X", words, "Location: ://"+words),
		"a redirect with a password": jsonReply("308 X", words, "Location: https://x:"+hostileSecret+"@example.invalid/"),
		"a challenge":                jsonReply("401 No", "", `WWW-Authenticate: Bearer error="`+words+`", scope="`+words+`"`),
		"a challenge that is broken": jsonReply("401 No", "", `WWW-Authenticate: `+words+`"`, "WWW-Authenticate: "+words),
		"a wait with words":          jsonReply("429 No", "{}", "Retry-After: "+words),
		"a wait without end":         jsonReply("429 No", "{}", "Retry-After: 99999999999999999999"),
		"a proxy's answer":           jsonReply("407 No", "", "Proxy-Authenticate: "+words),
		"a header without a colon":   "HTTP/1.1 200 OK\r\n" + words + "\r\n" + good[len("HTTP/1.1 200 OK\r\n"):],
		"a header with controls":     strings.Replace(good, "OK\r\n", "OK\r\nX-"+hostileSecret+": \x1b[31m\x00\r\n", 1),
		"a header with blanks":       strings.Replace(good, "OK\r\n", "OK\r\n X "+words+" : "+words+"\r\n", 1),
		"headers without end":        "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: "+words+"\r\n", 20000),
		"a type with words":          plainReply("200 OK", words, "{}"),
		"a length that is no number": strings.Replace(good, "Content-Length: ", "Content-Length: "+hostileSecret, 1),
		"two lengths":                strings.Replace(good, "OK\r\n", "OK\r\nContent-Length: 7\r\n", 1) + words,
		"a length that is too small": strings.Replace(good, fmt.Sprint(len(token)), "10", 1) + hostileWords(),
		"a length that is too great": strings.Replace(good, fmt.Sprint(len(token)), "500", 1),
		"a second answer":            good + jsonReply("200 OK", words),
		"a 204 with a body":          "HTTP/1.1 204 No\r\n\r\n" + hostileWords(),
		"a 304 with a body":          "HTTP/1.1 304 No\r\n\r\n" + hostileWords(),
		"chunks that are none":       chunked + hostileWords(),
		"a chunk that ends early":    chunked + "fff\r\n" + hostileWords(),
		"a chunk's extension":        chunked + "2;" + words + "\r\n{}\r\n0\r\n\r\n" + words,
		"trailers":                   chunked + "2\r\n{}\r\n0\r\nX-T: " + words + "\r\n" + words + "\r\n\r\n",
		"another encoding":           strings.Replace(good, "OK\r\n", "OK\r\nTransfer-Encoding: "+words+"\r\n", 1),
		"compressed, which is not":   jsonReply("200 OK", words, "Content-Encoding: gzip"),
		"compressed":                 jsonReply("400 No", zipped(`{"error":`+inJSON()+`}`), "Content-Encoding: gzip"),
		"a bomb":                     jsonReply("200 OK", zipped(strings.Repeat(words, 100000)), "Content-Encoding: gzip"),
		"compressed in another way":  jsonReply("200 OK", words, "Content-Encoding: "+words),
		"cookies":                    jsonReply("403 No", words, "Set-Cookie: "+words, "X-Amzn-Errortype: "+words, "Date: "+words, "Server: "+words),
	}
}

// hostileServer answers the requests for which hostile is true with raw bytes, and gives others a token. It shuts down
// what it has answered, so that nobody waits.
func hostileServer(t *testing.T, answer string, hostile func(path string) bool) (address string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	token := jsonReply("200 OK", `{"access_token":"`+hostileToken+`","token_type":"Bearer","expires_in":600}`)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				request, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, request.Body)
				text := token
				if hostile(request.URL.Path) {
					text = answer
				}
				_, _ = io.WriteString(conn, text)
				if tcp, ok := conn.(*net.TCPConn); ok {
					_ = tcp.CloseWrite()
				}
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestHostileReplies gives every verb answers that would have the secret shown, a terminal obey, or the runner of a
// pipeline: none of that is in any stream, and every line on stderr is ours.
func TestHostileReplies(t *testing.T) {
	t.Parallel()
	replies := hostileBodies()
	maps.Copy(replies, hostileHeads())
	if len(replies) < 60 {
		t.Fatalf("there are %d replies", len(replies))
	}
	all := func(string) bool { return true }
	operations := func(path string) bool { return !strings.HasSuffix(path, "/oauth/token") }
	for name, reply := range replies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.fileStore()
			p.set("AUTHCTL_CONFIG=", "AUTHCTL_CLIENT_ID=client", "AUTHCTL_CLIENT_SECRET="+hostileSecret)
			every, later := hostileServer(t, reply, all), hostileServer(t, reply, operations)
			other := []string{"AUTHCTL_PROVIDER=talkdesk", "AUTHCTL_ACCOUNT=acme", "AUTHCTL_BASE_URL=" + every}
			genesys := []string{
				"AUTHCTL_PROVIDER=genesys", "AUTHCTL_API_KEY=" + hostileKey, "AUTHCTL_GRANT=password", `AUTHCTL_USERNAME=acme\jane`,
				"AUTHCTL_PASSWORD=" + hostilePassword, "AUTHCTL_BASE_URL=" + every,
			}
			sent := inForms(hostileSecret)
			p.wantHarmless(other, "token get -v --explain", sent)
			p.wantHarmless(other, "token get -q -o json", sent)
			p.wantHarmless(other, "scopes check -v --explain", sent)
			p.wantHarmless(other, "scopes check -o json", sent)
			sent = inForms(hostileSecret, hostilePassword, hostileKey)
			p.wantHarmless(genesys, "token get -v -o json", sent)
			p.wantHarmless(genesys, "token get", sent)
			genesys[len(genesys)-1] = "AUTHCTL_BASE_URL=" + later
			sent = append(sent, hostileToken)
			// From the second on the token is a cached one, and no other secret has been sent by that process.
			for _, verb := range []string{
				"userinfo -v --explain", "userinfo -o json", "ping -v --explain", "ping -o json", "signout -v --explain",
			} {
				p.wantHarmless(genesys, verb, sent)
			}
			p.wantHarmless(genesys, "token get -q", nil)
			p.wantHarmless(genesys, "signout --require-remote -q -o json", sent)
		})
	}
}

// orders are what a terminal or a runner obeys.
var orders = regexp.MustCompile(`(?m)[\x00-\x08\x0b-\x1f\x7f]|[\x{80}-\x{9f}]|\x{202e}|##|^\s*::`)

// wantHarmless runs a command and looks at all it says, for the secrets that it has sent too.
func (p *place) wantHarmless(environment []string, command string, sent []string) {
	p.t.Helper()
	r := p.prepare(strings.Fields(command + " --timeout 20s")...)
	r.Env = append(slices.Clip(p.env), environment...)
	if err := r.Start(); err != nil {
		p.t.Fatal(err)
	}
	o := r.end()
	for _, secret := range sent {
		if strings.Contains(o.stdout+o.stderr, secret) {
			p.t.Errorf("%s: it shows %q: stdout %q, stderr %q", command, secret, o.stdout, o.stderr)
			return
		}
	}
	if found := orders.FindString(o.stdout + "\n" + o.stderr); found != "" {
		p.t.Errorf("%s: it says %q: stdout %q, stderr %q", command, found, o.stdout, o.stderr)
	}
	for line := range strings.Lines(o.stderr) {
		if !strings.HasPrefix(line, "authctl: ") && !strings.HasPrefix(line, `{"error":{"code":`) {
			p.t.Errorf("%s: stderr has the line %q", command, line)
		}
	}
}
