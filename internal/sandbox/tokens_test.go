package sandbox

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestBearer(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Bearer x": "x", "bearer x": "x", "BEARER   x": "x", "Basic x": "", "x": "", "": "", "Bearer": "", "Bearer ": "",
	} {
		if got := bearer(http.Header{"Authorization": {header}}); got != want {
			t.Errorf("%q: %q", header, got)
		}
	}
	if got := bearer(http.Header{"Authorization": {"Bearer x", "Bearer x"}}); got != "" {
		t.Errorf("two headers: %q", got)
	}
}

func TestRegisterForgetsExpiredTokens(t *testing.T) {
	t.Parallel()
	var r register
	now := time.Unix(1_750_000_000, 0)
	for i := range 3 * maxKept {
		at := now.Add(time.Duration(i) * time.Second)
		r.remember(strconv.Itoa(i), issuedToken{grant: &grant{service: "x"}, issued: at, expires: at.Add(time.Minute)})
	}
	if n := len(r.tokens); n > maxKept+1 {
		t.Errorf("%d tokens", n)
	}
	end := now.Add(3 * maxKept * time.Second)
	if _, ok := r.find("x", strconv.Itoa(3*maxKept-1), end); !ok {
		t.Error("the last token is lost")
	}
	if _, ok := r.find("x", strconv.Itoa(3*maxKept-100), end); ok {
		t.Error("an expired token is good")
	}
	if _, ok := r.find("y", strconv.Itoa(3*maxKept-1), end); ok {
		t.Error("a token is good at another service")
	}
}

// Of many that present a code, or a rotating refresh token, one gets an answer.
func TestOneTakesIt(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, service := range loginServices() {
		code := signInFor(t, s, service, nil).Get("code")
		refresh := text(t, userToken(t, s, service, nil)["refresh_token"])
		for name, c := range map[string]call{
			"code": codeCall(t, service, code), "refresh": refreshCall(t, service, refresh),
		} {
			var granted atomic.Int32
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					resp, err := newHTTPClient(t).Do(c.request(t, s))
					if err != nil {
						t.Error(err)
						return
					}
					_ = resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						granted.Add(1)
					}
				})
			}
			wg.Wait()
			if n := granted.Load(); n != 1 {
				t.Errorf("%s, %s: granted %d times", service, name, n)
			}
		}
	}
}
