package proxy

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// noted tells of an answer when its head is written: what follows may take hours.
type noted struct {
	http.ResponseWriter
	// tell is told of it, once.
	tell func(result string)
	told bool
}

// noting returns what notes the answer to a request; path is what of it may be told.
func (p *Proxy) noting(w http.ResponseWriter, r *http.Request, path string) *noted {
	began := p.Now()
	return &noted{ResponseWriter: w, tell: func(result string) {
		took := p.Now().Sub(began) / time.Millisecond
		p.Log(fmt.Sprintf("%s %s %s %dms", secret.CleanText(r.Method), secret.CleanText(path), result, took))
	}}
}

// WriteHeader notes the status, unless it is an interim one (RFC 9110 §15.2); see http.ResponseWriter.
func (n *noted) WriteHeader(status int) {
	if status >= http.StatusOK {
		n.note(strconv.Itoa(status))
	}
	n.ResponseWriter.WriteHeader(status)
}

// Hijack notes that protocols are switched; see http.Hijacker.
func (n *noted) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(n.ResponseWriter).Hijack()
	if err == nil {
		n.note(strconv.Itoa(http.StatusSwitchingProtocols))
	}
	return conn, buffered, err
}

// Unwrap returns what can do more; see http.ResponseController.
func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }

func (n *noted) note(result string) {
	if !n.told {
		n.told = true
		n.tell(result)
	}
}

// ended notes that there is no answer where there is none.
func (n *noted) ended() { n.note("no reply") }
