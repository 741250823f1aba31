package oauth

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// hostileAnswers say something behind their end, which net/http prints when the connection is kept.
func hostileAnswers(secret string) []string {
	ok := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
	return []string{
		"HTTP/1.1 204 No Content\r\n\r\n" + secret,
		"HTTP/1.1 304 Not Modified\r\n\r\n" + secret,
		fmt.Sprintf(ok, 2, `{}{"access_token":"`+secret+`"}`),
		fmt.Sprintf(ok, len(goodReply), goodReply) + fmt.Sprintf(ok, len(secret), secret),
		"HTTP/1.1 100 Continue\r\n\r\n" + fmt.Sprintf(ok, len(goodReply), goodReply) + "HTTP/1.1 401 " + secret + "\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\nHTTP/1.1 200 " + secret + "\r\n\r\n",
	}
}

// rawServer answers each request with bytes as they are, and keeps the connection open.
func rawServer(t *testing.T, answer string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				b := make([]byte, 64<<10)
				_, _ = conn.Read(b)
				_, _ = io.WriteString(conn, answer)
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestNothingOfNetHTTPIsPrinted makes 120 calls whose answers have more behind their end. The standard logger belongs to
// the whole process, so this one runs in a process of its own.
func TestNothingOfNetHTTPIsPrinted(t *testing.T) {
	t.Parallel()
	const child = "AUTHCTL_TEST_UNSOLICITED"
	if os.Getenv(child) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNothingOfNetHTTPIsPrinted$", "-test.count=1")
		cmd.Env = append(os.Environ(), child+"=1")
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, said)
		}
		return
	}
	var logged bytes.Buffer
	log.SetOutput(&logged)
	for _, answer := range hostileAnswers(fakeSecret) {
		url := rawServer(t, answer)
		for range 20 {
			client := &Client{HTTP: &http.Client{Timeout: time.Minute}, Now: atNoon} // http.DefaultTransport
			if _, err := client.Token(t.Context(), machineRequest(endpointOf(t, url))); err != nil && strings.Contains(err.Error(), fakeSecret) {
				t.Errorf("the error holds the secret: %v", err)
			}
		}
	}
	if text := logged.String(); text != "" {
		t.Errorf("the standard logger was told %.300q", text)
	}
}
