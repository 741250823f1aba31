package oauth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

func TestRetryPolicy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		status     int
		retryAfter string
		change     func(*TokenRequest)
		slept      []time.Duration
		after      time.Duration
	}{
		{"429", 429, "", nil, []time.Duration{time.Second}, 0},
		{"503", 503, "", nil, []time.Duration{250 * time.Millisecond}, 0},
		{"seconds", 429, "3", nil, []time.Duration{3 * time.Second}, 3 * time.Second},
		{"date", 503, "Sat, 05 Apr 2031 12:00:07 GMT", nil, []time.Duration{7 * time.Second}, 7 * time.Second},
		{"date gone by", 429, "Sat, 05 Apr 2031 11:00:00 GMT", nil, []time.Duration{time.Second}, 0},
		{"nonsense", 429, "soon", nil, []time.Duration{time.Second}, 0},
		{"negative", 429, "-5", nil, []time.Duration{time.Second}, 0},
		{"at least", 503, "", func(r *TokenRequest) { r.MinRetryWait = time.Second }, []time.Duration{time.Second}, 0},
		{"at least, with seconds", 429, "1", func(r *TokenRequest) { r.MinRetryWait = 2 * time.Second }, []time.Duration{2 * time.Second}, time.Second},
		{"ten seconds", 429, "10", nil, []time.Duration{10 * time.Second}, 10 * time.Second},
		{"too long", 429, "11", nil, nil, 11 * time.Second},
		{"absurd", 429, "99999999999999999999", nil, nil, maxRetryAfter},
		{"not repeatable", 429, "1", func(r *TokenRequest) { r.Repeatable = false }, nil, time.Second},
		{"not repeatable, 503", 503, "", func(r *TokenRequest) { r.Repeatable = false }, nil, 0},
		{"400", 400, "1", nil, nil, time.Second},
		{"401", 401, "", nil, nil, 0},
		{"403", 403, "", nil, nil, 0},
		{"408", 408, "", nil, nil, 0},
		{"500", 500, "1", nil, nil, time.Second},
		{"504", 504, "", nil, nil, 0},
	} {
		s := serve(t, func(n int, w http.ResponseWriter) {
			if c.retryAfter != "" {
				w.Header().Set("Retry-After", c.retryAfter)
			}
			answerWith(c.status, "application/json", `{"message":"x"}`)(n, w)
		})
		client, slept := newClient(t)
		r := machineRequest(endpointOf(t, s.URL))
		if c.change != nil {
			c.change(&r)
		}
		_, err := client.Token(t.Context(), r)
		if diff := cmp.Diff(c.slept, *slept); diff != "" || len(s.requests()) != len(c.slept)+1 {
			t.Errorf("%s: %d requests, pauses (-want +got):\n%s", c.name, len(s.requests()), diff)
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.StatusCode != c.status || e.RetryAfter != c.after {
			t.Errorf("%s: %T %+v", c.name, err, err)
			continue
		}
		if c.after > 0 != !e.NotBefore.IsZero() || c.after > 0 && !e.NotBefore.Equal(noon.Add(c.after)) {
			t.Errorf("%s: not before %v", c.name, e.NotBefore)
		}
	}
}

// TestSecondTry succeeds with a request of its own: the assertion is a new one.
func TestSecondTry(t *testing.T) {
	t.Parallel()
	s := serve(t, func(n int, w http.ResponseWriter) {
		answerWith([]int{503, 200}[n], "application/json", goodReply)(n, w)
	})
	client, _ := newClient(t)
	r := machineRequest(endpointOf(t, s.URL))
	r.Auth = PrivateKeyJWT{ClientID: "a", Key: secretOf(keyText(t, newECKey(t)))}
	if _, err := client.Token(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	asked := s.requests()
	if len(asked) != 2 {
		t.Fatalf("%d requests, want 2", len(asked))
	}
	_, _, first := openJWT(t, asked[0].Form.Get("client_assertion"))
	_, _, second := openJWT(t, asked[1].Form.Get("client_assertion"))
	if first["jti"] == second["jti"] {
		t.Errorf("both assertions have the jti %v", first["jti"])
	}
}

func TestRetryStaysInDeadline(t *testing.T) {
	t.Parallel()
	s := serve(t, func(n int, w http.ResponseWriter) {
		w.Header().Set("Retry-After", "9")
		answerWith(429, "", "")(n, w)
	})
	client, slept := newClient(t)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	_, err := client.Token(ctx, machineRequest(endpointOf(t, s.URL)))
	if e, ok := errors.AsType[*Error](err); !ok || e.RetryAfter != 9*time.Second || len(*slept) != 0 {
		t.Errorf("%T %v, slept %v", err, err, *slept)
	}
}

func TestRetryIsInterrupted(t *testing.T) {
	t.Parallel()
	s := serve(t, answerWith(429, "application/json", `{"message":"slow down"}`))
	client, _ := newClient(t)
	client.Sleep = func(context.Context, time.Duration) error { return context.Canceled }
	_, err := client.Token(t.Context(), machineRequest(endpointOf(t, s.URL)))
	e, ok := errors.AsType[*Error](err)
	if !ok || e.StatusCode != 429 || !errors.Is(err, context.Canceled) || err.Error() != e.Error() || len(s.requests()) != 1 {
		t.Errorf("%T %v", err, err)
	}
}

func TestFailedDialIsRepeated(t *testing.T) {
	t.Parallel()
	for _, failures := range []int32{1, 2} {
		s := serve(t, answerWith(200, "application/json", goodReply))
		client, slept := newClient(t)
		var dials atomic.Int32
		client.HTTP.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials.Add(1) <= failures {
				return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		r := machineRequest(endpointOf(t, s.URL))
		r.Repeatable = false
		_, err := client.Token(t.Context(), r)
		if (err == nil) != (failures == 1) || dials.Load() != 2 || len(*slept) != 1 || (*slept)[0] > time.Second {
			t.Errorf("%d failures: %v, %d dials, slept %v", failures, err, dials.Load(), *slept)
		}
		if e, ok := errors.AsType[*NetworkError](err); failures == 2 && (!ok || e.Sent || !strings.HasPrefix(err.Error(), "cannot reach ")) {
			t.Errorf("%T %v", err, err)
		}
	}
}

// TestSecretErrorIsNotRepeated has a reference that fails with the types of ours.
func TestSecretErrorIsNotRepeated(t *testing.T) {
	t.Parallel()
	asked := 0
	r := machineRequest(endpointOf(t, "https://id.example"))
	r.Auth = Basic{ClientID: "a", Secret: func(context.Context) (secret.Secret, error) {
		asked++
		return secret.Secret{}, &NetworkError{Err: &net.OpError{Op: "dial", Err: errors.New("agent is gone")}}
	}}
	client, slept := newClient(t)
	if _, err := client.Token(t.Context(), r); err == nil || asked != 1 || len(*slept) != 0 {
		t.Errorf("%v, asked %d times, slept %v", err, asked, *slept)
	}
}

func TestDefaultSleep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := new(Client).sleep(t.Context(), 3*time.Second); err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := new(Client).sleep(ctx, time.Hour)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 4*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
