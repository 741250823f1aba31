package oauth2

import (
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const (
	devicePath = path + "/activate"
	deviceLife = 10 * time.Minute
	pollEvery  = 5 * time.Second // between two polls, and what each that comes too soon adds (RFC 8628 §3.2, §3.5)
)

// The errors of a poll (RFC 8628 §3.5).
const (
	pending  service.Problem = "400 authorization_pending the user has not decided yet"
	tooSoon  service.Problem = "400 slow_down the client polls too often"
	denied   service.Problem = "400 access_denied the user refused"
	tooLate  service.Problem = "400 expired_token the device code has expired"
	noDevice service.Problem = "400 invalid_grant the device code is unknown or was used"
)

// devices are the device authorizations that wait for a person, by device code.
type devices struct {
	mu      sync.Mutex
	waiting map[string]*device
}

// device is one of them (RFC 8628 §3.1).
type device struct {
	userCode, client, scope string
	audience                []string
	expires, polled         time.Time
	interval                time.Duration
	grant                   *service.Grant // of a user who allowed it
	denied                  bool
}

// begin is the device authorization endpoint (RFC 8628 §3.1, §3.2).
func (i *issuer) begin(x *service.Exchange) service.Reply {
	if x.Bad != "" {
		return *x.Refuse(x.Bad, "")
	}
	c, refused := i.authenticate(x)
	if refused != nil {
		return *refused
	}
	scope, ok := x.Granted(x.Form.Get("scope"), userScopes(), nil)
	if !ok {
		return *x.Refuse(service.BadScope, "")
	}
	d := &device{
		userCode: newUserCode(), client: c.ID, scope: scope, audience: targets(x),
		expires: x.Now.Add(x.Fault.Lifetime(deviceLife)), interval: x.Fault.Between(pollEvery),
	}
	code := service.NewOpaque()
	x.Secrets.Add(code)
	i.devices.hold(x.Now, code, d)
	page := x.Origin() + devicePath
	if x.Request.TLS != nil { // nobody is sent from https to http
		page = x.Secure + devicePath
	}
	return service.OK(map[string]any{
		"device_code": code, "user_code": d.userCode, "verification_uri": page,
		"verification_uri_complete": page + "?user_code=" + d.userCode,
		"expires_in":                int(d.expires.Sub(x.Now).Seconds()), "interval": int(d.interval.Seconds()),
	})
}

// newUserCode is two times four letters that nobody mistakes and that spell no word (RFC 8628 §6.1).
func newUserCode() string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	code := make([]byte, 8)
	_, _ = rand.Read(code)
	for i, b := range code {
		code[i] = letters[int(b)%len(letters)]
	}
	return string(code[:4]) + "-" + string(code[4:])
}

func (d *devices) hold(now time.Time, code string, one *device) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.waiting, func(_ string, old *device) bool { return old.expires.Add(deviceLife).Before(now) })
	if d.waiting == nil {
		d.waiting = map[string]*device{}
	}
	d.waiting[code] = one
}

// redeem is a poll (RFC 8628 §3.4). The code is good once.
func (d *devices) redeem(x *service.Exchange, c *service.Client) (*service.Grant, *service.Reply) {
	d.mu.Lock()
	defer d.mu.Unlock()
	code := x.Form.Get("device_code")
	one := d.waiting[code]
	if one == nil || one.client != c.ID {
		return nil, x.Refuse(noDevice, "")
	}
	soon := !one.polled.IsZero() && x.Now.Sub(one.polled) < one.interval
	one.polled = x.Now
	switch {
	case !one.expires.After(x.Now):
		return nil, x.Refuse(tooLate, "")
	case one.denied:
		return nil, x.Refuse(denied, "")
	case soon:
		one.interval += pollEvery
		return nil, x.Refuse(tooSoon, "")
	case one.grant == nil:
		return nil, x.Refuse(pending, "")
	}
	delete(d.waiting, code)
	return one.grant, nil
}

// answer is what a person says to a device; false where none has that code, or was answered.
func (d *devices) answer(now time.Time, userCode string, allow bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.waiting {
		if one.userCode != spelled(userCode) || one.denied || one.grant != nil || !one.expires.After(now) {
			continue
		}
		if one.denied = !allow; allow {
			one.grant = &service.Grant{
				Client: one.client, Scope: one.scope, User: User, SID: rand.Text(), At: now, Audience: one.audience,
			}
		}
		return true
	}
	return false
}

// spelled is a user code as it was shown, however it was typed.
func spelled(code string) string {
	letters := strings.Map(func(r rune) rune {
		if r < 'A' || r > 'Z' {
			return -1
		}
		return r
	}, strings.ToUpper(code))
	if len(letters) != 8 {
		return ""
	}
	return letters[:4] + "-" + letters[4:]
}

//go:embed device.html
var deviceForm string

// show is the page where a person connects a device (RFC 8628 §3.3).
func (i *issuer) show(x *service.Exchange) service.Reply {
	return devicePage(x.Request.URL.Query().Get("user_code"), "")
}

// decide is the POST of its form. A test may say {"user_code": "…", "allow": true} in JSON, and needs no password.
func (i *issuer) decide(x *service.Exchange) service.Reply {
	if strings.HasPrefix(x.Request.Header.Get("Content-Type"), "application/json") {
		return i.decideForTest(x)
	}
	code, allow := x.Form.Get("user_code"), x.Form.Get("action") == "allow"
	switch {
	case x.Bad != "":
		return devicePage("", "The form cannot be read.")
	case allow && typed(x) == "":
		return devicePage(code, "The username or password is wrong.")
	case !i.devices.answer(x.Now, code, allow):
		return devicePage(code, "No device waits with this code.")
	case allow:
		return said("Device connected", "You can close this page and go back to the device.")
	}
	return said("Device refused", "Nothing was connected. You can close this page.")
}

func (i *issuer) decideForTest(x *service.Exchange) service.Reply {
	var asked struct {
		UserCode string `json:"user_code"`
		Allow    bool   `json:"allow"`
	}
	if err := json.Unmarshal(x.Body, &asked); err != nil || asked.UserCode == "" {
		return failure(http.StatusBadRequest, "", "the body must be {\"user_code\": …, \"allow\": true or false}")
	}
	if !i.devices.answer(x.Now, asked.UserCode, asked.Allow) {
		return failure(http.StatusNotFound, "", "no device waits with this code")
	}
	return service.OK(map[string]any{"allow": asked.Allow})
}

// devicePage is the page, with what was typed before.
func devicePage(code, problem string) service.Reply {
	esc := html.EscapeString
	return pageOf().HTML(http.StatusOK, "connect a device", strings.NewReplacer(
		"{problem}", esc(problem), "{action}", devicePath, "{code}", esc(code), "{user}", User, "{password}", esc(Password),
	).Replace(deviceForm))
}

// said is a page that only says something.
func said(title, text string) service.Reply {
	return pageOf().HTML(http.StatusOK, strings.ToLower(title), "<h1>"+title+"</h1>\n<p>"+html.EscapeString(text)+"</p>\n")
}
