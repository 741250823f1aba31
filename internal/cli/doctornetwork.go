package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

const (
	// visitors is how many services are asked at the same time.
	visitors = 8
	// skewWarning and skewFailure are how far a clock may be off. A signed JWT is
	// good for a minute or a few, and expiry is counted in seconds.
	skewWarning, skewFailure = 30 * time.Second, 5 * time.Minute
	// certificateWarning is how long a certificate should be good for still.
	certificateWarning = 14 * 24 * time.Hour
)

// presence is one kind of endpoint at a host, "token endpoint", and whose it is.
type presence struct {
	endpoint string
	profiles []string
}

// visit is one host that is looked at.
type visit struct {
	// origin is scheme, host and port.
	origin *url.URL
	has    []presence
	// proxy is what is between, nil for nothing. It may hold credentials.
	proxy *url.URL
	// proxyFrom is the variable that names it.
	proxyFrom string
	// tls is nil without TLS, and when err is not.
	tls  *tls.ConnectionState
	err  error
	took time.Duration
	// ahead is how far the service's clock is ahead of ours.
	ahead time.Duration
	// told says that the service told the time.
	told bool
	// names are the settings of the first profile it is of, for hints.
	names setting.Names
}

// network asks each host of the profiles whether it is there.
func (e *examination) network(ctx context.Context, limit time.Duration) {
	o := client.Options{CAFile: e.options.caFile}
	if e.app.Global.Verbose {
		o.Trace = e.app.UI.Trace
	}
	transport, err := e.setup.Transport(ctx, o)
	if err != nil {
		e.fail(check{Section: sectionNetwork, Name: "certificates"}, err)
		return
	}
	e.proxies()
	visits := e.visits()
	var running sync.WaitGroup
	places := make(chan struct{}, visitors)
	for _, v := range visits {
		running.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			v.make(ctx, transport, e.app.Now)
		})
	}
	running.Wait()
	for _, v := range visits {
		e.reachable(v, limit)
	}
	for _, v := range visits {
		e.clock(v)
	}
}

// visits returns the hosts to look at, each once, with what is there for whom.
func (e *examination) visits() []*visit {
	known := map[string]*visit{}
	var visits []*visit
	for _, p := range e.patients {
		for _, endpoint := range p.endpoints {
			origin := &url.URL{Scheme: endpoint.URL.Scheme, Host: endpoint.URL.Host, Path: "/"}
			v := known[origin.String()]
			if v == nil {
				v = &visit{origin: origin, names: p.profile.Settings.Applying(p.profile.Service.Settings)}
				known[origin.String()] = v
				visits = append(visits, v)
			}
			v.add(p.profile.Name, endpoint.Name)
		}
	}
	return visits
}

// add notes an endpoint of a profile.
func (v *visit) add(profile, endpoint string) {
	i := slices.IndexFunc(v.has, func(p presence) bool { return p.endpoint == endpoint })
	if i < 0 {
		i, v.has = len(v.has), append(v.has, presence{endpoint: endpoint})
	}
	v.has[i].profiles = append(v.has[i].profiles, profile)
}

// whose tells what is at the host. The profile is empty when there are several, which
// are then told.
func (v *visit) whose() (profile, text string) {
	profile = v.has[0].profiles[0]
	for _, p := range v.has {
		if len(p.profiles) > 1 || p.profiles[0] != profile {
			profile = ""
		}
	}
	all, between := make([]string, len(v.has)), " and "
	if profile == "" {
		between = "; "
	}
	for i, p := range v.has {
		all[i] = "the " + p.endpoint
		if profile == "" {
			all[i] += " of " + strings.Join(p.profiles, ", ")
		}
	}
	return profile, "; it has " + strings.Join(all, between)
}

// make sends one HEAD request for the root, without credentials: it is enough for the
// certificate and the Date header (RFC 9110 §6.6.1). Redirects are not followed.
func (v *visit) make(ctx context.Context, transport http.RoundTripper, now func() time.Time) {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, v.origin.String(), nil)
	if err != nil {
		v.err = err
		return
	}
	request.Header.Set("User-Agent", "authctl/"+version)
	request.Header.Set("Cache-Control", "no-cache")
	v.proxy, v.proxyFrom = network.ProxyTo(request.URL)
	before := now()
	reply, err := transport.RoundTrip(request)
	v.took = now().Sub(before)
	if err != nil {
		if v.err = err; ctx.Err() != nil {
			v.err = context.Cause(ctx)
		}
		return
	}
	_ = reply.Body.Close()
	v.tls = reply.TLS
	if date, ok := oauth.ServiceTime(reply.Header); ok {
		// It was written somewhere between the two times.
		v.ahead, v.told = date.Sub(before.Add(v.took/2)), true
	}
}

// reachable reports whether a host answers, and its TLS.
func (e *examination) reachable(v *visit, limit time.Duration) {
	c := check{Section: sectionNetwork, Name: v.origin.Host}
	profile, there := v.whose()
	c.Profile = profile
	by := ""
	if v.proxy != nil {
		by = " through " + network.ShownProxy(v.proxy, v.proxyFrom)
	}
	if v.err != nil {
		c.kind, c.Message, c.Hint = v.failure(limit)
		c.Message += by + there
		e.note(stateFailed, c)
		return
	}
	c.Message = "answers in " + inMilliseconds(v.took) + by
	if v.tls == nil {
		c.Message += ", without TLS" + there
		e.ok(c)
		return
	}
	c.Message += ", " + tls.VersionName(v.tls.Version)
	until := v.tls.PeerCertificates[0].NotAfter
	c.Message += ", certificate good until " + moment.Text(until) + there
	if until.Sub(e.app.Now()) < certificateWarning {
		c.Hint = "who runs the service should renew its certificate"
		e.warn(c)
		return
	}
	e.ok(c)
}

// failure says why there was no answer, with the judgement of every other call: a
// certificate does not become good by waiting.
func (v *visit) failure(limit time.Duration) (kind, message, hint string) {
	if errors.Is(v.err, context.DeadlineExceeded) {
		return "temporary", "gave no answer within " + limit.String(), "raise --timeout, or look for a firewall or a proxy"
	}
	if obstacle := network.ObstacleIn(v.err); obstacle != nil {
		return "config", obstacle.Problem, v.names.In(obstacle.Hint)
	}
	if network.IsNotHTTP(v.err) {
		hint := v.names.In("check {address} in the profile: is that the service?")
		return "protocol", "answers what is not valid HTTP", hint
	}
	said := strconv.Quote(secret.CleanText(v.err.Error()))
	if v.proxy != nil && network.ProxyHasMore(v.proxy) {
		// What is dialled may be a piece of the password.
		said = "what was said is not shown, because a password may be in it"
	}
	return "temporary", "cannot be reached: " + said,
		v.names.In("check {address} in the profile, and the network: HTTPS_PROXY and NO_PROXY count")
}

// clock compares the clocks.
func (e *examination) clock(v *visit) {
	c := check{Section: sectionClock, Name: v.origin.Host}
	if v.err != nil {
		return
	}
	if !v.told {
		c.Message = "does not tell the time"
		e.ok(c)
		return
	}
	off := v.ahead.Abs().Round(time.Second)
	direction := "ahead of"
	if v.ahead > 0 {
		direction = "behind"
	}
	c.Message = fmt.Sprintf("this machine's clock is %s %s the service's", moment.Lasting(off), direction)
	c.Hint = "set the clock, best by NTP: the life of tokens and signed JWTs depend on it"
	switch {
	case off > skewFailure:
		c.kind = "config"
		e.note(stateFailed, c)
	case off > skewWarning:
		e.warn(c)
	default:
		c.Hint = ""
		if off <= cmp.Or(v.took, time.Second)+time.Second {
			c.Message = "this machine's clock and the service's agree"
		}
		e.ok(c)
	}
}
