package service

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestBearer(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Bearer x": "x", "bearer x": "x", "BEARER   x": "x", "Basic x": "", "x": "", "": "", "Bearer": "", "Bearer ": "",
	} {
		if got := Bearer(http.Header{"Authorization": {header}}); got != want {
			t.Errorf("%q: %q", header, got)
		}
	}
	if got := Bearer(http.Header{"Authorization": {"Bearer x", "Bearer x"}}); got != "" {
		t.Errorf("two headers: %q", got)
	}
}

func TestExpiredTokensAreForgotten(t *testing.T) {
	t.Parallel()
	x := &Exchange{Service: New(Service{}), Now: time.Unix(1_750_000_000, 0), Secrets: &Ledger{}}
	for i := range 3 * maxKept {
		x.Now = x.Now.Add(time.Second)
		x.Remember(&Grant{}, strconv.Itoa(i), AccessToken, time.Minute)
	}
	if n := len(x.tokens); n > maxKept+1 {
		t.Errorf("%d tokens", n)
	}
	if _, ok := x.Find(strconv.Itoa(3*maxKept - 1)); !ok {
		t.Error("the last token is lost")
	}
	if _, ok := x.Find(strconv.Itoa(3*maxKept - 100)); ok {
		t.Error("an expired token is good")
	}
}
