package devicecode

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// noon is the clock of these tests.
var noon = time.Date(2031, 4, 5, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// deviceReply is a good reply with some members written as given; an empty one is left out.
func deviceReply(change map[string]string) string {
	reply := map[string]json.RawMessage{
		"device_code": json.RawMessage(`"fake-device-code"`), "user_code": json.RawMessage(`"WDJB-MJHT"`),
		"verification_uri": json.RawMessage(`"https://id.example/device"`), "expires_in": json.RawMessage("600"),
	}
	for name, value := range change {
		if reply[name] = json.RawMessage(value); value == "" {
			delete(reply, name)
		}
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(reply)) {
		parts = append(parts, `"`+name+`":`+string(reply[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestDeviceReply(t *testing.T) {
	t.Parallel()
	const uri, complete = "verification_uri", "verification_uri_complete"
	for _, c := range []struct{ name, value, want string }{ // want begins with "=" or is a part of the problem
		{"interval", "", "=5s"},
		{"interval", "null", "=5s"},
		{"interval", "0", "=5s"},
		{"interval", `"5"`, "=5s"},
		{"interval", `""`, "=5s"},
		{"interval", "7", "=7s"},
		{"interval", "2.5", "=3s"},
		{"interval", "0.2", "=1s"},
		{"interval", "1e1", "=10s"},
		{"interval", "-1", "interval is negative"},
		{"interval", "1e9", "interval is 1e9, which is over five minutes"},
		{"interval", "1000000000", "interval is 1000000000, which is over five minutes"},
		{"interval", "1e999", "interval is 1e999, which is over five minutes"},
		{"interval", `"soon"`, `interval is "soon"`},
		{"interval", `"\u001b[2J9"`, `interval is "[2J9"`},
		{"interval", "true", "interval is no number"},
		{"interval", "[5]", "interval is no number"},
		{"interval", `{"a":5}`, "interval is no number"},
		{"interval", "NaN", "it is not valid JSON"},
		{"interval", `"fake-device-code"`, "device_code, which is secret"},
		{"expires_in", `["fake-device-code"]`, "expires_in is a list"},
		{"expires_in", `"fake-device-code"`, "device_code, which is secret"},

		{"expires_in", `"900"`, "=5s"},
		{"expires_in", "900.9", "=5s"},
		{"expires_in", "", "it has no expires_in"},
		{"expires_in", "null", "expires_in is null"},
		{"expires_in", "0", "expires_in is 0"},
		{"expires_in", "-1", "expires_in is negative"},
		{"expires_in", "1e9", "over ten years"},
		{"expires_in", `"later"`, `expires_in is "later"`},
		{"expires_in", "5", "the codes expire before they may be asked with"},

		{"user_code", `"1234 5678"`, "=5s"},
		{"user_code", "", "it has no user_code"},
		{"user_code", `""`, "it has no user_code"},
		{"user_code", "12345678", "user_code is not a string"},
		{"user_code", `"` + strings.Repeat("A", 65) + `"`, "user_code is longer than 64 characters"},
		{"user_code", `"A\u001b]52;c;eA==\u0007"`, `nobody can type: "A ]52;c;eA=="`},
		{"user_code", `"A\nB"`, "nobody can type"},
		{"user_code", `"A\u202eB"`, `nobody can type: "AB"`},
		{"user_code", `"ÄÖÜ"`, "nobody can type"},
		{"user_code", `"::add-mask::x"`, "nobody can type"},
		{"user_code", `"##vso[task.setvariable]"`, "nobody can type"},
		{"user_code", `" AB"`, "nobody can type"},
		{"user_code", `"fake-device-code"`, "device_code, which is secret"},

		{uri, `"https://id.example/#/device"`, "=5s"},
		{uri, "", "it has no verification_uri"},
		{uri, `""`, "it has no verification_uri"},
		{uri, "7", "verification_uri is not a string"},
		{uri, `"/device"`, "verification_uri cannot be used: it has no host"},
		{uri, `"javascript:alert(1)"`, "verification_uri cannot be used: it has no host"},
		{uri, `"file:///etc/passwd"`, "verification_uri cannot be used: it has no host"},
		{uri, `"http://id.example/device"`, "plain http is for loopback only: http://id.example/device"},
		{uri, `"https://id.example@evil.example/"`, "verification_uri cannot be used: it has a user name"},
		{uri, `"https://user:pass@id.example/"`, "verification_uri cannot be used: it has a user name"},
		{uri, `"https://id.example/\u001b[31m"`, `outside printable ASCII: "https://id.example/ [31m"`},
		{uri, `"https://id.example/a b"`, "verification_uri has blanks"},
		{uri, `"https://idé.example/"`, "verification_uri has blanks or bytes outside printable ASCII"},
		{uri, `"https://id.example:99999/"`, "verification_uri cannot be used"},
		{uri, `"https://[::1"`, "verification_uri is not a URL"},
		{uri, `"https://id.example/` + strings.Repeat("a", 2048) + `"`, "verification_uri is longer than 2048 characters"},
		{uri, `"https://id.example/fake-device-code"`, "device_code, which is secret"},
		{complete, `"https://id.example/device?user_code=WDJB-MJHT"`, "=5s"},
		{complete, "null", "=5s"},
		{complete, `""`, "=5s"},
		{complete, `"http://evil.example/"`, "verification_uri_complete cannot be used: plain http"},
		{complete, `"https://id.example/?c=fake-device-code"`, "device_code, which is secret"},

		{"device_code", "", "it has no device_code"},
		{"device_code", "9", "device_code is not a string"},
		{"device_code", `"a b"`, "device_code has blanks"},
		{"device_code", `"` + strings.Repeat("x", 64<<10+1) + `"`, "device_code is larger than 64 KiB"},
		{"error", `"invalid_client"`, "with an error inside invalid_client"},
	} {
		d, err := readDevice(deviceReply(map[string]string{c.name: c.value}))
		if wait, good := strings.CutPrefix(c.want, "="); good {
			if err != nil || d.Interval.String() != wait || d.DeviceCode.IsZero() || d.VerificationURI == nil {
				t.Errorf("%s %s: %+v, %v", c.name, c.value, d, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "fake-device-code") {
			t.Errorf("%s %s: %v; want %q", c.name, c.value, err, c.want)
		}
	}
	google, err := readDevice(deviceReply(map[string]string{uri: "", "verification_url": `"https://www.google.com/device"`}))
	if err != nil || google.VerificationURI.String() != "https://www.google.com/device" {
		t.Errorf("verification_url: %+v, %v", google, err)
	}
}

// readDevice has a client read a body from an https endpoint.
func readDevice(body string) (Authorization, error) {
	c := &oauth.Client{Now: atNoon, HTTP: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)),
			Header: http.Header{"Content-Type": {"application/json"}},
		}, nil
	})}}
	u := &url.URL{Scheme: "https", Host: "id.example", Path: "/device"}
	return Request(context.Background(), c, oauth.CallRequest{URL: u, Auth: oauth.None{ClientID: "c"}})
}

// roundTrip is a transport that is one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestDeviceRequest(t *testing.T) {
	t.Parallel()
	var form url.Values
	c := &oauth.Client{Now: atNoon, HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Authorization") != "Basic ZGVtbzpmYWtl" {
			t.Errorf("%s with %v, %v", r.Method, r.Header, err)
		}
		form, err = url.ParseQuery(string(body))
		reply := deviceReply(map[string]string{"verification_uri": `"http://127.0.0.1/d"`})
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(reply))}, err
	})}}
	d, err := Request(t.Context(), c, oauth.CallRequest{
		URL:    &url.URL{Scheme: "http", Host: "127.0.0.1", Path: "/device"},
		Auth:   oauth.Basic{ClientID: "demo", Secret: secret.Known(secret.New("fake"))},
		Params: url.Values{"scope": {"a b"}, "audience": {""}},
	})
	if err != nil || !d.RequestedAt.Equal(noon) || !d.Expiry().Equal(noon.Add(10*time.Minute)) || form.Encode() != "scope=a+b" {
		t.Fatalf("%+v, %v, asked with %v", d, err, form)
	}
}

// pendingService answers polls in turn; the last answer is repeated.
type pendingService struct {
	clock   time.Time
	asked   []time.Duration // when, since noon
	answers []string        // "STATUS BODY", "timeout", or an error's code
}

func (s *pendingService) RoundTrip(*http.Request) (*http.Response, error) {
	answer := s.answers[min(len(s.asked), len(s.answers)-1)]
	s.asked = append(s.asked, s.clock.Sub(noon))
	if answer == "timeout" {
		return nil, context.DeadlineExceeded
	}
	status, body, ok := strings.Cut(answer, " ")
	if !ok {
		status, body = "400", `{"error":"`+answer+`"}`
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if status == "503+" {
		status = "503"
		header.Set("Retry-After", "40")
	}
	code := map[string]int{"200": 200, "400": 400, "429": 429, "500": 500, "503": 503}[status]
	return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(body)), Header: header}, nil
}

func TestAwaitDevice(t *testing.T) {
	t.Parallel()
	const good, pending = `200 {"access_token":"fake-token","token_type":"Bearer","expires_in":600}`, "authorization_pending"
	for _, c := range []struct {
		name    string
		answers []string
		at      []int // seconds
		err     string
	}{
		{"at once", []string{good}, []int{5}, ""},
		{"later", []string{pending, pending, good}, []int{5, 10, 15}, ""},
		{"slowed down for good", []string{"slow_down", pending, "slow_down", pending, good}, []int{5, 15, 25, 40, 55}, ""},
		{"slowed down under 429", []string{`429 {"error":"slow_down"}`, good}, []int{5, 15}, ""},
		{"as GitHub does", []string{`200 {"error":"slow_down","interval":10}`, good}, []int{5, 15}, ""},
		{"denied", []string{pending, "access_denied"}, []int{5, 10}, "access_denied"},
		{"expired there", []string{"expired_token"}, []int{5}, "expired_token"},
		{"expired here", []string{pending}, []int{5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60}, "the code has expired"},
		{"timeouts are backed off from", []string{"timeout", "timeout", pending, good}, []int{5, 15, 35, 40}, ""},
		{"and so are faults", []string{"500 x", "503 x", "500 x"}, []int{5, 15, 35}, "answered 500"},
		{"throttled", []string{"429 {}", good}, []int{5, 15}, ""},
		{"a Retry-After counts", []string{"503+ {}", good}, []int{5, 45}, ""},
		{"a refused client", []string{"invalid_client"}, []int{5}, "invalid_client"},
		{"no answer of RFC 6749", []string{"200 <html>"}, []int{5}, "cannot be used"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &pendingService{clock: noon, answers: c.answers}
			client := &oauth.Client{
				HTTP: &http.Client{Transport: s}, Now: func() time.Time { return s.clock },
				Sleep: func(_ context.Context, d time.Duration) error { s.clock = s.clock.Add(d); return nil },
			}
			token, err := Await(t.Context(), client, devicePoll(), deviceFor(time.Minute))
			if c.err == "" && (err != nil || token.AccessToken.IsZero()) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got %v, %v; want %q", token, err, c.err)
			}
			var at []int
			for _, d := range s.asked {
				at = append(at, int(d.Seconds()))
			}
			if !slices.Equal(at, c.at) {
				t.Errorf("asked at %v, want %v", at, c.at)
			}
		})
	}
}

// TestBackOff: a service that stays silent is asked once a minute, or as seldom as it wants.
func TestBackOff(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]time.Duration{5 * time.Second: time.Minute, 2 * time.Minute: 2 * time.Minute} {
		p := polling{interval: interval, pause: interval}
		for range 10 {
			if !p.goesOn(&oauth.NetworkError{Timeout: true}) {
				t.Fatal("a timeout ends it")
			}
		}
		if p.pause != want {
			t.Errorf("interval %s: the pause is %s, want %s", interval, p.pause, want)
		}
	}
}

func devicePoll() oauth.TokenRequest {
	return oauth.TokenRequest{Endpoint: &url.URL{Scheme: "https", Host: "id.example", Path: "/token"}, Auth: oauth.None{ClientID: "c"}}
}

func deviceFor(lives time.Duration) Authorization {
	return Authorization{
		DeviceCode: secret.New("fake-device-code"), RequestedAt: noon, Lifetime: lives, Interval: 5 * time.Second,
	}
}

// TestAwaitDeviceEnds: who waits no longer asks no more, and says what went wrong last.
func TestAwaitDeviceEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	s := &pendingService{clock: noon, answers: []string{"503 {}"}}
	client := &oauth.Client{
		HTTP: &http.Client{Transport: s}, Now: atNoon,
		Sleep: func(ctx context.Context, _ time.Duration) error {
			if len(s.asked) == 1 {
				cancel(enough)
			}
			return context.Cause(ctx)
		},
	}
	_, err := Await(ctx, client, devicePoll(), deviceFor(time.Hour))
	if !errors.Is(err, enough) || !strings.Contains(err.Error(), "answered 503") || len(s.asked) != 1 {
		t.Errorf("got %v after %d requests", err, len(s.asked))
	}
}

func TestDeviceDryRun(t *testing.T) {
	t.Parallel()
	client := &oauth.Client{DryRun: &oauth.DryRun{}}
	if _, err := Await(t.Context(), client, devicePoll(), Authorization{}); !errors.Is(err, oauth.ErrDryRun) {
		t.Fatal(err)
	}
	text := client.DryRun.Requests(oauth.Fingerprints{})[0].Text
	for _, want := range []string{
		"device_code=[secret not fetched: it is in the answer to the request before]",
		"grant_type=urn:ietf:params:oauth:grant-type:device_code",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("the dry run shows\n%s\nwithout %s", text, want)
		}
	}
}

func FuzzDevice(f *testing.F) {
	f.Add(deviceReply(nil))
	f.Add(deviceReply(map[string]string{"interval": "1e9", "user_code": `"\u001b[2J"`}))
	f.Add(deviceReply(map[string]string{"verification_uri_complete": `"https://id.example/?a=b#c"`, "interval": "0.5"}))
	f.Fuzz(func(t *testing.T, body string) {
		d, err := readDevice(body)
		if err != nil {
			if text := err.Error(); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7F || secret.Invisible(r) }) {
				t.Errorf("not fit to be shown: %q", text)
			}
			return
		}
		shown := d.UserCode + d.VerificationURI.String()
		if d.VerificationURIComplete != nil {
			shown += d.VerificationURIComplete.String()
		}
		if strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("not fit to be shown: %q", shown)
		}
		if d.Interval < time.Second || d.Interval >= d.Lifetime || d.VerificationURI.Scheme != "https" || d.DeviceCode.IsZero() {
			t.Errorf("of no use: %+v", d)
		}
	})
}
