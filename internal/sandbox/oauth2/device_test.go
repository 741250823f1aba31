package oauth2_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// device asks for codes as the public client.
func (w *world) device() (code, userCode string) {
	w.Helper()
	call := sandboxtest.Post(base+"device", url.Values{"scope": {"openid orders:read"}}, nil)
	got := w.do(w.as("none", "sandbox-oauth2-public", call))
	fields := got.Fields(w.T)
	if got.Status != 200 {
		w.Fatalf("status %d, %s", got.Status, got.Body)
	}
	return sandboxtest.Text(w.T, fields["device_code"]), sandboxtest.Text(w.T, fields["user_code"])
}

// poll asks for the token, as soon as that may be.
func (w *world) poll(code string) sandboxtest.Result {
	w.Helper()
	w.clock.Advance(5 * time.Second)
	return w.pollNow(code)
}

func (w *world) pollNow(code string) sandboxtest.Result {
	w.Helper()
	call := tokenCall(url.Values{"grant_type": {deviceGrant}, "device_code": {code}})
	return w.do(w.as("none", "sandbox-oauth2-public", call))
}

// decide is what a test says in the person's place.
func (w *world) decide(userCode string, allow bool) sandboxtest.Result {
	w.Helper()
	return w.do(sandboxtest.Call{
		Method: http.MethodPost, Path: base + "activate", Header: map[string]string{"Content-Type": "application/json"},
		Body: fmt.Sprintf(`{"user_code":%q,"allow":%t}`, userCode, allow),
	})
}

func TestDevice(t *testing.T) {
	t.Parallel()
	w := start(t)
	for method, id := range clients() {
		call := w.as(method, id, sandboxtest.Post(base+"device", url.Values{"scope": {"openid"}}, nil))
		fields := w.send(id, call).Fields(t)
		code, userCode := sandboxtest.Text(t, fields["device_code"]), sandboxtest.Text(t, fields["user_code"])
		page := w.issuer() + "/activate"
		if w.client(id).Certificate.Leaf != nil {
			page = w.s.SecureURL() + base + "activate"
		}
		if !regexp.MustCompile(`^[B-Z]{4}-[B-Z]{4}$`).MatchString(userCode) || fields["interval"] != 5.0 ||
			fields["expires_in"] != 600.0 || fields["verification_uri"] != page ||
			fields["verification_uri_complete"] != page+"?user_code="+userCode {
			t.Errorf("%s: %v", method, fields)
		}
		if got := w.decide(strings.ToLower(strings.ReplaceAll(userCode, "-", " ")), true); got.Status != 200 {
			t.Errorf("%s: status %d, %s", method, got.Status, got.Body)
		}
		poll := tokenCall(url.Values{"grant_type": {deviceGrant}, "device_code": {code}})
		token := sandboxtest.WantToken(t, w.send(id, w.as(method, id, poll)))
		if token["refresh_token"] == nil || token["id_token"] == nil {
			t.Errorf("%s: %v", method, token)
		}
	}
}

func TestDevicePolls(t *testing.T) {
	t.Parallel()
	w := start(t)
	code, userCode := w.device()
	w.want("first", w.poll(code), 400, "authorization_pending", "")
	w.want("second", w.poll(code), 400, "authorization_pending", "")
	w.want("too soon", w.pollNow(code), 400, "slow_down", "")
	w.want("five seconds are too few now", w.poll(code), 400, "slow_down", "")
	w.clock.Advance(10 * time.Second)
	w.want("in time", w.poll(code), 400, "authorization_pending", "")
	other := tokenCall(url.Values{"grant_type": {deviceGrant}, "device_code": {code}})
	w.want("another's", w.do(w.as("client_secret_basic", "sandbox-oauth2", other)), 400, "invalid_grant", "")
	w.decide(userCode, true)
	w.clock.Advance(time.Minute)
	sandboxtest.WantToken(t, w.poll(code))
	w.want("twice", w.poll(code), 400, "invalid_grant", "")

	code, userCode = w.device()
	w.decide(userCode, false)
	w.want("denied", w.poll(code), 400, "access_denied", "")
	if got := w.decide(userCode, true); got.Status != 404 {
		t.Errorf("decided twice: status %d", got.Status)
	}

	code, userCode = w.device()
	w.clock.Advance(10 * time.Minute)
	w.want("expired", w.poll(code), 400, "expired_token", "")
	if got := w.decide(userCode, true); got.Status != 404 {
		t.Errorf("expired: status %d", got.Status)
	}
}

// A device that is told another interval is held to it, where it is one.
func TestDeviceFaults(t *testing.T) {
	t.Parallel()
	w := start(t)
	call := w.as("none", "sandbox-oauth2-public", sandboxtest.Post(base+"device", nil, nil))
	for fault, want := range map[string]map[string]any{
		`{"interval":0}`:                       {"interval": 0.0},
		`{"interval":-1}`:                      {"interval": -1.0},
		`{"interval":"5"}`:                     {"interval": "5"},
		`{"interval":1000000000}`:              {"interval": 1e9},
		`{"omit":["interval"]}`:                {"interval": nil},
		`{"expires_in":1}`:                     {"expires_in": 1.0},
		`{"extra":{"user_code":"\u001b[2J"}}`:  {"user_code": "\x1b[2J"},
		`{"extra":{"verification_uri":"x:y"}}`: {"verification_uri": "x:y"},
	} {
		sandboxtest.AddFault(t, w.s, strings.Replace(fault, "{", `{"path":"/openid/main/device","times":1,`, 1))
		fields := w.do(call).Fields(t)
		for name, value := range want {
			if fields[name] != value {
				t.Errorf("%s: %v", fault, fields)
			}
		}
	}
	sandboxtest.AddFault(t, w.s, `{"path":"/openid/main/device","interval":1,"times":1}`)
	code, _ := w.device()
	w.pollNow(code)
	w.clock.Advance(time.Second)
	w.want("a second later", w.pollNow(code), 400, "authorization_pending", "")
	for _, said := range []string{"slow_down", "access_denied", "expired_token"} {
		sandboxtest.AddFault(t, w.s, `{"path":"/openid/main/token","times":1,"error":"`+said+`"}`)
		w.want(said, w.poll(code), 400, said, "fault")
	}
	w.want("after it", w.poll(code), 400, "authorization_pending", "")
}

func TestDevicePage(t *testing.T) {
	t.Parallel()
	w := start(t)
	code, userCode := w.device()
	page := w.do(sandboxtest.Get(base + "activate?user_code=" + userCode))
	if page.Status != 200 || sandboxtest.InputValue(strings.ReplaceAll(page.Body, "\n", " "), "username") != "" ||
		!strings.Contains(page.Body, `value="`+userCode+`"`) {
		t.Errorf("status %d, %s", page.Status, page.Body)
	}
	post := func(form url.Values) sandboxtest.Result { return w.do(sandboxtest.Post(base+"activate", form, nil)) }
	form := url.Values{"user_code": {userCode}, "username": {sandbox.OAuth2User}, "password": {"wrong"}, "action": {"allow"}}
	if got := post(form); !strings.Contains(got.Body, "is wrong") || !strings.Contains(got.Body, userCode) {
		t.Errorf("a wrong password: %s", got.Body)
	}
	form.Set("password", sandbox.OAuth2Password)
	form.Set("user_code", `"><i>`)
	if got := post(form); !strings.Contains(got.Body, "No device") || strings.Contains(got.Body, "<i>") {
		t.Errorf("a wrong code: %s", got.Body)
	}
	w.want("not yet", w.poll(code), 400, "authorization_pending", "")
	form.Set("user_code", userCode)
	if got := post(form); !strings.Contains(got.Body, "Device connected") {
		t.Errorf("allowed: %s", got.Body)
	}
	sandboxtest.WantToken(t, w.poll(code))
	code, userCode = w.device()
	if got := post(url.Values{"user_code": {userCode}, "action": {"deny"}}); !strings.Contains(got.Body, "Device refused") {
		t.Errorf("denied: %s", got.Body)
	}
	w.want("denied", w.poll(code), 400, "access_denied", "")
	if got := w.do(sandboxtest.Post(base+"activate", url.Values{"a": {"b", "c"}}, nil)); !strings.Contains(got.Body, "cannot be read") {
		t.Errorf("twice: %s", got.Body)
	}
	if got := w.decide("", true); got.Status != 400 {
		t.Errorf("no code: status %d", got.Status)
	}
}
