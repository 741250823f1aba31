package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

const (
	// atOnce is how many hosts are asked at the same time.
	atOnce = 8
	// skewWarning and skewFailure are how far a clock may be off. A signed JWT is
	// good for a minute or a few, and expiry is counted in seconds.
	skewWarning, skewFailure = 30 * time.Second, 5 * time.Minute
	// certificateWarning is how long a certificate should be good for still.
	certificateWarning = 14 * 24 * time.Hour
)

// host is one that is asked whether it is there.
type host struct {
	// origin is scheme, host and port.
	origin *url.URL
	// has are the kinds of endpoints there, "token endpoint", in the order of profiles, which
	// are those that have each.
	has      []string
	profiles map[string][]string
	// proxy is what is between, nil for nothing. It may hold credentials. The variable
	// proxyFrom names it.
	proxy     *url.URL
	proxyFrom string
	// tls is nil without TLS, and when err is not.
	tls  *tls.ConnectionState
	err  error
	took time.Duration
	// ahead is how far its clock is ahead of ours, nil when it did not tell the time.
	ahead *time.Duration
	// names are the settings of the first profile it is of, for hints.
	names setting.Names
}

// checkHosts asks each host of the profiles whether it is there.
func (d *doctor) checkHosts(ctx context.Context, limit time.Duration) {
	o := d.Asking(client.Options{CAFile: d.store.CAFile})
	transport, err := d.local.Transport(ctx, o)
	if err != nil {
		d.fail(check{Name: "certificates"}, err)
		return
	}
	d.checkProxies()
	hosts := d.hosts()
	var running sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, h := range hosts {
		running.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			h.ask(ctx, transport, o.UserAgent, d.Now)
		})
	}
	running.Wait()
	for _, h := range hosts {
		d.reachable(h, limit)
	}
	d.section = "clock"
	for _, h := range hosts {
		if h.err == nil {
			d.clock(h)
		}
	}
}

// hosts returns the hosts to look at, each once, with what is there for whom.
func (d *doctor) hosts() []*host {
	known := map[string]*host{}
	var hosts []*host
	for _, u := range d.usable {
		for _, endpoint := range u.endpoints {
			origin := &url.URL{Scheme: endpoint.URL.Scheme, Host: endpoint.URL.Host, Path: "/"}
			h := known[origin.String()]
			if h == nil {
				names := u.profile.Settings.Applying(u.profile.Service.Settings())
				if endpoint.Setting != "" {
					names = names.At(endpoint.Setting)
				}
				h = &host{origin: origin, profiles: map[string][]string{}, names: names}
				known[origin.String()] = h
				hosts = append(hosts, h)
			}
			if h.profiles[endpoint.Name] == nil {
				h.has = append(h.has, endpoint.Name)
			}
			h.profiles[endpoint.Name] = append(h.profiles[endpoint.Name], u.profile.Name)
		}
	}
	return hosts
}

// whose tells what is at the host. The profile is empty when there are several, which
// are then told.
func (h *host) whose() (profile, text string) {
	profile = h.profiles[h.has[0]][0]
	for _, of := range h.profiles {
		if len(of) > 1 || of[0] != profile {
			profile = ""
		}
	}
	all, between := make([]string, len(h.has)), " and "
	for i, endpoint := range h.has {
		all[i] = "the " + endpoint
		if profile == "" {
			all[i], between = all[i]+" of "+strings.Join(h.profiles[endpoint], ", "), "; "
		}
	}
	return profile, "; it has " + strings.Join(all, between)
}

// ask sends one HEAD request for the root, without credentials: it is enough for the
// certificate and the Date header (RFC 9110 §6.6.1). Redirects are not followed.
func (h *host) ask(ctx context.Context, transport http.RoundTripper, agent string, now func() time.Time) {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, h.origin.String(), nil)
	if err != nil {
		h.err = err
		return
	}
	request.Header.Set("User-Agent", agent)
	request.Header.Set("Cache-Control", "no-cache")
	h.proxy, h.proxyFrom = network.ProxyTo(request.URL)
	before := now()
	reply, err := transport.RoundTrip(request)
	h.took = now().Sub(before)
	if err != nil {
		if h.err = err; ctx.Err() != nil {
			h.err = context.Cause(ctx)
		}
		return
	}
	_ = reply.Body.Close()
	h.tls = reply.TLS
	if date, ok := network.ServiceTime(reply.Header); ok {
		// It was written somewhere between the two times.
		ahead := date.Sub(before.Add(h.took / 2))
		h.ahead = &ahead
	}
}

// reachable reports whether a host answers, and its TLS.
func (d *doctor) reachable(h *host, limit time.Duration) {
	profile, there := h.whose()
	c, by := check{Name: h.origin.Host, Profile: profile}, ""
	if h.proxy != nil {
		by = " through " + network.ShownProxy(h.proxy, h.proxyFrom)
	}
	if h.err != nil {
		c.kind, c.Message, c.Hint = h.failure(limit)
		c.Message += by + there
		d.note(stateFailed, c)
		return
	}
	c.Message = "answers in " + inMilliseconds(h.took) + by
	if h.tls == nil {
		c.Message += ", without TLS" + there
		d.ok(c)
		return
	}
	until := h.tls.PeerCertificates[0].NotAfter
	c.Message += ", " + tls.VersionName(h.tls.Version) + ", certificate good until " + moment.Text(until) + there
	if until.Sub(d.Now()) < certificateWarning {
		c.Hint = "who runs the service should renew its certificate"
		d.warn(c)
		return
	}
	d.ok(c)
}

// failure says why there was no answer, with the judgement of every other call: a
// certificate does not become good by waiting.
func (h *host) failure(limit time.Duration) (kind, message, hint string) {
	if errors.Is(h.err, context.DeadlineExceeded) {
		return "temporary", "gave no answer within " + limit.String(), "raise --timeout, or look for a firewall or a proxy"
	}
	if obstacle := network.ObstacleIn(h.err); obstacle != nil {
		return "config", obstacle.Problem, h.names.In(obstacle.Hint)
	}
	if network.IsNotHTTP(h.err) {
		hint := h.names.In("check {address} in the profile: is that the service?")
		return "protocol", "answers what is not valid HTTP", hint
	}
	said := secret.Quote(h.err.Error())
	if h.proxy != nil && network.ProxyHasMore(h.proxy) {
		// What is dialled may be a piece of the password.
		said = "what was said is not shown, because a password may be in it"
	}
	return "temporary", "cannot be reached: " + said,
		h.names.In("check {address} in the profile, and the network: HTTPS_PROXY and NO_PROXY count")
}

// clock compares the clocks.
func (d *doctor) clock(h *host) {
	c := check{Name: h.origin.Host, Message: "does not tell the time"}
	if h.ahead == nil {
		d.ok(c)
		return
	}
	off, direction := h.ahead.Abs().Round(time.Second), "ahead of"
	if *h.ahead > 0 {
		direction = "behind"
	}
	c.Message = fmt.Sprintf("this machine's clock is %s %s the service's", moment.Lasting(off), direction)
	state, hint := stateOK, "set the clock, best by NTP: the life of tokens and signed JWTs depend on it"
	switch {
	case off > skewFailure:
		state, c.kind, c.Hint = stateFailed, "config", hint
	case off > skewWarning:
		state, c.Hint = stateWarning, hint
	case off <= cmp.Or(h.took, time.Second)+time.Second:
		c.Message = "this machine's clock and the service's agree"
	}
	d.note(state, c)
}

// checkProxies warns of a proxy in the environment that is not used, or not as it was meant.
// net/http passes over what it cannot read without a word. The value is never shown: it
// may hold a password.
func (d *doctor) checkProxies() {
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY"} {
		value, _ := d.LookupEnv(name)
		if value == "" {
			name = strings.ToLower(name)
			value, _ = d.LookupEnv(name)
		}
		if problem := proxyProblem(value); problem != "" && value != "" {
			d.warn(check{
				Name: name, Message: problem,
				Hint: "write it as http://HOST:PORT; a user name or password before it has %25 for %, %40 for @, " +
					"%2F for /, %3F for ? and %23 for #",
			})
		}
	}
}

// proxyProblem returns what is wrong with the address of a proxy, empty when nothing.
// It is read as net/http does (golang.org/x/net/http/httpproxy): without a scheme,
// http is meant.
func proxyProblem(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || u.Host == "" {
		u, err = url.Parse("http://" + value)
	}
	switch {
	case err != nil:
		return "its value cannot be read as an address, so no proxy is used"
	case network.ProxyHasMore(u):
		return "it is not scheme, host and port alone, so a wrong one may be taken for the proxy"
	}
	return ""
}
