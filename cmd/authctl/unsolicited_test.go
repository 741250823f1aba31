package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// behindTheEnd are answers with more behind their end: what net/http reports of it, its own logger prints.
func behindTheEnd(secret string) map[string]string {
	const ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
	token := `{"access_token":"fake-token","token_type":"Bearer","expires_in":600}`
	return map[string]string{
		"a 204 with a body":              "HTTP/1.1 204 No Content\r\n\r\n" + secret,
		"a 304 with a body":              "HTTP/1.1 304 Not Modified\r\n\r\n" + secret,
		"a Content-Length too small":     fmt.Sprintf(ok, len(token), token+secret),
		"a second answer":                fmt.Sprintf(ok, len(token), token) + fmt.Sprintf(ok, len(secret), secret),
		"an answer before any question":  "HTTP/1.1 200 " + secret + "\r\nContent-Length: 0\r\n\r\n",
		"a refusal with more behind its": "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n" + secret,
	}
}

// TestOnlyOurOwnWordsOnStderr makes 120 calls of a server that repeats the secret behind its answers.
func TestOnlyOurOwnWordsOnStderr(t *testing.T) {
	t.Parallel()
	const secret = "fake-secret-behind-the-end"
	for name, answer := range behindTheEnd(secret) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			go answerRaw(l, answer, strings.Contains(name, "before any question"))
			p := newPlace(t)
			p.set("AUTHCTL_CONFIG=", "AUTHCTL_PROVIDER=pexip", "AUTHCTL_ACCOUNT=acme", "AUTHCTL_CLIENT_ID=a",
				"AUTHCTL_CLIENT_SECRET="+secret, "AUTHCTL_BASE_URL=http://"+l.Addr().String())
			for range 20 {
				o := p.run("token", "get", "--no-cache")
				for line := range strings.Lines(o.stderr) {
					if !strings.HasPrefix(line, "authctl: ") {
						t.Errorf("exit code %d, stderr has %q", o.code, line)
					}
				}
				if strings.Contains(o.stdout+o.stderr, secret) {
					t.Errorf("exit code %d, the secret is shown: %q %q", o.code, o.stdout, o.stderr)
				}
			}
		})
	}
}

// answerRaw answers with bytes as they are, and keeps the connections open.
func answerRaw(l net.Listener, answer string, unasked bool) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			if !unasked {
				_, _ = conn.Read(make([]byte, 64<<10))
			}
			_, _ = io.WriteString(conn, answer)
			_, _ = io.Copy(io.Discard, conn)
		}()
	}
}
