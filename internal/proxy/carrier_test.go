package proxy

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// refusing is an upstream that takes tokens from a number on, and says what it has read.
func refusing(least, seen *atomic.Int32) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		_, number, _ := strings.Cut(r.Header.Get("Authorization"), "token-")
		n, err := strconv.Atoi(number)
		if err != nil || n < int(least.Load()) {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		size, _ := io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, strconv.FormatInt(size, 10))
	}
}

// TestRefusedTokenIsRenewedOnce sends bodies of all kinds again, as far as they are small.
func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		size    int
		chunked bool
		expect  bool
		status  int
		// tries are the requests that the upstream sees.
		tries int32
	}{
		"no body":              {0, false, false, 200, 2},
		"small":                {10, false, false, 200, 2},
		"a mebibyte":           {maxKept, false, false, 200, 2},
		"larger":               {maxKept + 1, false, false, 401, 1},
		"small and chunked":    {100_000, true, false, 200, 2},
		"larger, not yet read": {maxKept + 1, true, true, 200, 2},
		"expected":             {100, false, true, 200, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var least, seen atomic.Int32
			least.Store(2)
			s := newStage(t, refusing(&least, &seen))
			var from io.Reader = bytes.NewReader(make([]byte, tt.size))
			if tt.chunked {
				from = io.MultiReader(from)
			}
			req := s.request(http.MethodPost, s.URL()+"/x", from)
			if tt.expect {
				req.Header.Set("Expect", "100-continue")
			}
			r := s.do(req)
			if r.StatusCode != tt.status || tt.status == 200 && r.body != strconv.Itoa(tt.size) || seen.Load() != tt.tries {
				t.Errorf("status %d, the upstream has read %s in try %d; want %d and %d", r.StatusCode, r.body, seen.Load(), tt.status, tt.tries)
			}
			if tt.status == 401 && r.Header.Get("WWW-Authenticate") == "" {
				t.Error("the refusal is not the upstream's")
			}
			// The next request has the new token in any case.
			until(t, func() bool { return s.source.calls.Load() == 1 })
			if r := s.ask(http.MethodGet, "/x", ""); r.StatusCode != 200 || s.source.calls.Load() != 1 {
				t.Errorf("the next request: status %d, %d calls", r.StatusCode, s.source.calls.Load())
			}
		})
	}
}

// until waits for what another goroutine is about to do.
func until(t *testing.T, done func() bool) {
	t.Helper()
	for !done() {
		if t.Context().Err() != nil {
			t.Fatal("it does not come about")
		}
		runtime.Gosched()
	}
}

// TestSecondRefusalIsPassedOn, and where new tokens do not help, no more of them are asked for.
func TestSecondRefusalIsPassedOn(t *testing.T) {
	t.Parallel()
	var least, seen atomic.Int32
	least.Store(1000)
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	s := newStage(t, refusing(&least, &seen), func(o *Options) { o.Now = clock })
	for range 20 {
		if r := s.ask(http.MethodGet, "/x", ""); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("status %d, want the upstream's", r.StatusCode)
		}
	}
	if calls, n := s.source.calls.Load(), seen.Load(); calls != 1 || n != 21 {
		t.Errorf("%d tokens and %d requests, want 1 and 21", calls, n)
	}
	mu.Lock()
	now = now.Add(firstPause)
	mu.Unlock()
	least.Store(3)
	if r := s.ask(http.MethodGet, "/x", ""); r.StatusCode != http.StatusOK {
		t.Errorf("a second later: status %d", r.StatusCode)
	}
	// That one helped: the next refusal is not kept waiting.
	least.Store(4)
	if r := s.ask(http.MethodGet, "/x", ""); r.StatusCode != http.StatusOK || s.source.calls.Load() != 3 {
		t.Errorf("status %d after %d calls", r.StatusCode, s.source.calls.Load())
	}
}

// TestRefusedAtOnce: what many requests find out at the same time costs one token.
func TestRefusedAtOnce(t *testing.T) {
	t.Parallel()
	var least, seen atomic.Int32
	least.Store(2)
	s := newStage(t, refusing(&least, &seen))
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if r := s.ask(http.MethodPost, "/x", "body"); r.StatusCode != 200 || r.body != "4" {
				t.Errorf("status %d, %q", r.StatusCode, r.body)
			}
		})
	}
	all.Wait()
	if n := s.source.calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// TestBodyIsReadByTheNextAttempt: what an attempt that was given up still waits for is not lost.
func TestBodyIsReadByTheNextAttempt(t *testing.T) {
	t.Parallel()
	from, to := io.Pipe()
	b := newBody(from)
	first, _ := b.begin()
	var all sync.WaitGroup
	all.Go(func() { _, _ = io.WriteString(to, "one ") })
	p := make([]byte, 10)
	if n, err := first.Read(p); string(p[:n]) != "one " || err != nil {
		t.Fatalf("%q, %v", p[:n], err)
	}
	all.Go(func() {
		if n, err := first.Read(make([]byte, 10)); n != 0 || err == nil {
			t.Errorf("an attempt that was given up reads %d bytes, %v", n, err)
		}
	})
	until(t, func() bool {
		if b.reading.TryLock() {
			b.reading.Unlock()
			return false
		}
		return true
	})
	second, ok := b.begin()
	all.Go(func() { _, _ = io.WriteString(to, "two "); _, _ = io.WriteString(to, "three"); _ = to.Close() })
	if text, err := io.ReadAll(second); string(text) != "one two three" || err != nil || !ok {
		t.Errorf("the next attempt reads %q, %v", text, err)
	}
	third, ok := b.begin()
	if text, _ := io.ReadAll(third); string(text) != "one two three" || !ok {
		t.Errorf("and the one after %q", text)
	}
	all.Wait()
}

// TestUploadIsNotKept: memory does not grow with a body.
func TestUploadIsNotKept(t *testing.T) {
	const size = 256 << 20
	var least, seen atomic.Int32
	s := newStage(t, refusing(&least, &seen))
	for _, chunked := range []bool{false, true} {
		req := s.request(http.MethodPut, s.URL()+"/x", io.LimitReader(zeros{}, size))
		if !chunked {
			req.ContentLength = size
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := s.do(req)
		runtime.ReadMemStats(&after)
		// All that was ever allocated meanwhile, by client, proxy and upstream.
		if grown := after.TotalAlloc - before.TotalAlloc; r.body != strconv.Itoa(size) || grown > 32<<20 {
			t.Errorf("chunked %t: the upstream read %s, %d bytes were allocated", chunked, r.body, grown)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
