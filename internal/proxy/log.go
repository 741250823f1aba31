package proxy

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// noted notes the status of an answer, and when it came.
type noted struct {
	http.ResponseWriter
	status int
	at     time.Time
	now    func() time.Time
}

// WriteHeader notes the status, unless it is an interim one (RFC 9110 §15.2); see http.ResponseWriter.
func (n *noted) WriteHeader(status int) {
	n.note(status)
	n.ResponseWriter.WriteHeader(status)
}

func (n *noted) note(status int) {
	if n.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		n.status, n.at = status, n.now()
	}
}

// Hijack notes that protocols are switched; see http.Hijacker.
func (n *noted) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(n.ResponseWriter).Hijack()
	if err == nil {
		n.note(http.StatusSwitchingProtocols)
	}
	return conn, buffered, err
}

// Unwrap returns what can do more; see http.ResponseController.
func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// log tells of a request that has ended; path is what of it may be told.
func (p *Proxy) log(r *http.Request, path string, began time.Time, n *noted) {
	result := fmt.Sprint(n.status)
	if n.status == 0 {
		result, n.at = "no reply", p.Now()
	}
	p.Log(fmt.Sprintf("%s %s %s %dms", secret.CleanText(r.Method), secret.CleanText(path), result, n.at.Sub(began).Milliseconds()))
}
