package proxy

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Unavailable is why a request has no answer of the upstream, in words for who asked.
type Unavailable struct {
	// Status is the answer's, 0 for 502.
	Status int
	// Kind is a row of the table of exit codes, and Hint what to do; empty where nobody knows.
	Kind, Message, Hint string
	// Retryable says that the same request may succeed later: not before NotBefore, where
	// that is not zero.
	Retryable bool
	NotBefore time.Time
}

// Error is the message.
func (u *Unavailable) Error() string { return u.Message }

// answer writes the words as JSON for who asks for that, else as text.
func (u *Unavailable) answer(w http.ResponseWriter, r *http.Request, now time.Time) {
	if wait := u.NotBefore.Sub(now); u.Retryable && !u.NotBefore.IsZero() {
		seconds := max(int64((wait+time.Second-1)/time.Second), 1)
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	text, kind := "authctl: error: "+u.Message+"\n", "text/plain; charset=utf-8"
	if u.Hint != "" {
		text += "authctl: hint: " + u.Hint + "\n"
	}
	if wantsJSON(r) {
		if object, err := json.Marshal(map[string]any{"error": map[string]any{
			"kind": u.Kind, "message": u.Message, "hint": u.Hint, "retryable": u.Retryable,
		}}); err == nil {
			text, kind = string(object)+"\n", "application/json"
		}
	}
	status := u.Status
	if status == 0 {
		status = http.StatusBadGateway
	}
	say(w, status, kind, text)
}

// wantsJSON reports whether a request names a type of JSON as what it accepts (RFC 9110 §12.5.1).
func wantsJSON(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header["Accept"], ","), ",") {
		name, _, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "application/json" || strings.HasSuffix(name, "+json") {
			return true
		}
	}
	return false
}

// say writes an answer of the proxy's own.
func say(w http.ResponseWriter, status int, kind, text string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
