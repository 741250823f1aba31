package proxy

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/proxy"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/term"
)

const (
	// connections ask all the time, with tokens that live for lifetime.
	connections = 200
	lifetime    = 2
	// leeway is what the upstream gives a token after its end: a busy machine takes its time, and the claim of
	// its end is in whole seconds.
	leeway = 10 * time.Second
	// patience bounds what is waited for.
	patience = 90 * time.Second
)

// fire is a proxy whose tokens end all the time, whose service is away now and then and whose upstream is
// started anew.
type fire struct {
	t       *testing.T
	service *sandbox.Server
	proxy   *proxy.Proxy
	// address is the upstream's.
	address string
	server  atomic.Pointer[http.Server]

	good, away, refused atomic.Int64
	// revocations and flaps are how often tokens were revoked and the service was away, restarts how often the upstream was.
	revocations, flaps, restarts atomic.Int64
	// peaceful says that no token is revoked any more, and calm that no request is under way which met with one: from
	// then on the service is away now and then.
	peaceful, calm atomic.Bool

	mu sync.Mutex
	// tokens are those that were seen, true for those that are revoked.
	tokens map[string]bool
	// served are the clients that had an answer since the last were revoked.
	served map[string]bool
}

// TestUnderFire: no client sees a refusal that could be spared, or gets an answer to another token, and nothing is left
// behind. AUTHCTL_TEST_CHAOS=60s makes it last so long.
func TestUnderFire(t *testing.T) {
	goroutines, descriptors := runtime.NumGoroutine(), open(t)
	t.Run("fire", func(t *testing.T) {
		f := newFire(t)
		var lasts time.Duration
		if text := os.Getenv("AUTHCTL_TEST_CHAOS"); text != "" {
			var err error
			if lasts, err = time.ParseDuration(text); err != nil {
				t.Fatal(err)
			}
		}
		ctx, end := context.WithTimeout(t.Context(), lasts+patience)
		defer end()
		var all sync.WaitGroup
		for n := range connections {
			all.Go(func() { f.ask(ctx, n) })
		}
		all.Go(func() { f.flap(ctx) })
		all.Go(func() { f.restart(ctx) })
		all.Go(func() { f.direct(ctx, lasts); end() })
		all.Wait()
		f.service.ClearFaults()
		f.judge()
	})
	// What ends takes its time to do so.
	for runtime.NumGoroutine() > goroutines || open(t) > descriptors {
		if t.Context().Err() != nil {
			t.Fatal("it leaves goroutines or descriptors behind")
		}
		runtime.Gosched()
	}
}

// open is how many descriptors this process has, 0 where that is not told.
func open(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

func newFire(t *testing.T) *fire {
	t.Helper()
	f := &fire{t: t, service: sandbox.New(sandbox.Options{}), tokens: map[string]bool{}, served: map[string]bool{}}
	if err := f.service.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.service.Close)
	f.lives()
	f.serve("127.0.0.1:0")
	t.Cleanup(func() { _ = f.server.Load().Close() })
	f.proxy = f.open(f.deps())
	t.Cleanup(f.proxy.Close)
	return f
}

// lives has the service's tokens end soon.
func (f *fire) lives() {
	f.service.ClearFaults()
	if err := f.service.AddFault(sandbox.Fault{Service: "pexip", ExpiresIn: json.RawMessage(fmt.Sprint(lifetime))}); err != nil {
		f.t.Error(err)
	}
}

func (f *fire) deps() *verb.Deps {
	dir := f.t.TempDir()
	if err := f.service.WriteConfig(filepath.Join(dir, "config.yaml")); err != nil {
		f.t.Fatal(err)
	}
	settings := map[string]string{
		"AUTHCTL_CONFIG": filepath.Join(dir, "config.yaml"), "AUTHCTL_STORE": "memory",
		"AUTHCTL_RUNTIME_DIR": dir, "HOME": dir, "XDG_RUNTIME_DIR": dir,
	}
	return verb.New(f.t.Context(), verb.World{
		Streams:   term.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard},
		LookupEnv: func(name string) (string, bool) { text, ok := settings[name]; return text, ok },
	}, builtin.Services(), "")
}

// open opens the proxy as the command does.
func (f *fire) open(d *verb.Deps) *proxy.Proxy {
	c := &command{Deps: d, allow: []string{f.address}}
	c.at = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	s, err := d.Open(&c.service, []string{"pexip"})
	if err != nil {
		f.t.Fatal(err)
	}
	p, err := c.open(f.t.Context(), s, &url.URL{Scheme: "http", Host: f.address})
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// serve starts the upstream.
func (f *fire) serve(address string) {
	var config net.ListenConfig
	listener, err := config.Listen(f.t.Context(), "tcp", address)
	if err != nil {
		f.t.Errorf("starting the upstream anew: %v", err)
		return
	}
	f.address = listener.Addr().String()
	server := &http.Server{Handler: f, ReadHeaderTimeout: time.Minute}
	f.server.Store(server)
	go func() { _ = server.Serve(listener) }()
}

// ServeHTTP is the upstream: it takes a token of the profile up to its end, and says what it was sent.
func (f *fire) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	client, _, _ := strings.Cut(string(body), "-")
	if !f.takes(token, client) {
		f.refused.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = w.Write(body)
}

// takes reports whether the upstream takes a token. When each client has had an answer, all tokens are revoked that were
// seen: so nobody meets twice with one that is.
func (f *fire) takes(token, client string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	revoked := f.tokens[token]
	f.tokens[token] = revoked
	if revoked || time.Now().After(expiry(token).Add(leeway)) {
		return false
	}
	f.served[client] = true
	if len(f.served) < connections {
		return true
	}
	clear(f.served)
	if f.peaceful.Load() {
		f.calm.Store(true)
		return true
	}
	f.revocations.Add(1)
	for seen := range f.tokens {
		f.tokens[seen] = true
	}
	return true
}

func expiry(token string) time.Time {
	var claims struct {
		Expiry int64 `json:"exp"`
	}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		if text, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(text, &claims)
		}
	}
	return time.Unix(claims.Expiry, 0)
}

// ask asks again and again on a connection of its own.
func (f *fire) ask(ctx context.Context, n int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for round := 0; ctx.Err() == nil && !f.t.Failed(); round++ {
		sent := fmt.Sprintf("%d-%d-%s", n, round, strings.Repeat("x", n))
		req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.proxy.URL()+"/x", strings.NewReader(sent))
		if err != nil {
			f.t.Error(err)
			return
		}
		resp, err := client.Do(req)
		if err != nil {
			f.t.Errorf("the proxy itself gave no answer: %v", err)
			return
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		f.look(resp.StatusCode, sent, string(text), err)
	}
}

// look judges an answer: the upstream's to what was sent, or our word that it, or the service, is away.
func (f *fire) look(status int, sent, got string, err error) {
	switch {
	case status == http.StatusOK && got == sent && err == nil:
		f.good.Add(1)
	case status == http.StatusBadGateway && strings.HasPrefix(got, "authctl: error: "):
		f.away.Add(1)
	case status == http.StatusOK && err != nil:
		// The upstream was killed in the middle of its answer.
		f.away.Add(1)
	default:
		f.t.Errorf("status %d, %q, %v; sent was %q", status, got, err, sent)
	}
}

// direct has tokens revoked that the proxy takes for good, while a new one can be had, and then the service be away: each a
// few times, and as long as it is to last.
func (f *fire) direct(ctx context.Context, lasts time.Duration) {
	began := time.Now()
	for pause(ctx, 20*time.Millisecond) == nil && !f.t.Failed() {
		since := time.Since(began)
		if f.revocations.Load() >= 3 && since >= lasts/2 {
			f.peaceful.Store(true)
		}
		if f.flaps.Load() >= 2 && f.restarts.Load() >= 2 && since >= lasts {
			return
		}
	}
}

// flap takes the service away for a moment, again and again.
func (f *fire) flap(ctx context.Context) {
	for pause(ctx, 500*time.Millisecond) == nil {
		if !f.calm.Load() {
			continue
		}
		f.service.ClearFaults()
		if err := f.service.AddFault(sandbox.Fault{Service: "pexip", Status: http.StatusServiceUnavailable}); err != nil {
			f.t.Error(err)
		}
		_ = pause(ctx, 300*time.Millisecond)
		f.lives()
		f.flaps.Add(1)
	}
}

// restart kills the upstream and starts it anew, again and again.
func (f *fire) restart(ctx context.Context) {
	for pause(ctx, 700*time.Millisecond) == nil {
		if err := f.server.Load().Close(); err != nil {
			f.t.Error(err)
		}
		f.serve(f.address)
		f.restarts.Add(1)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// judge looks at what has come of it, when all is well again.
func (f *fire) judge() {
	f.t.Helper()
	issued := f.service.IssuedSecrets()
	for token := range f.tokens {
		if !slices.Contains(issued, token) {
			f.t.Errorf("the upstream got %q, which the service has not issued", token)
		}
	}
	if f.refused.Load() < 3 || f.flaps.Load() < 2 || f.restarts.Load() < 2 {
		f.t.Errorf("%d refusals, %d times without the service, %d without the upstream: too little was tried",
			f.refused.Load(), f.flaps.Load(), f.restarts.Load())
	}
	f.t.Logf("%d answers, %d without the upstream, %d refusals spared, %d tokens",
		f.good.Load(), f.away.Load(), f.refused.Load(), len(f.tokens))
}
