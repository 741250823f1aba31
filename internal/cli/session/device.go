package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/oauth/devicecode"
	"github.com/authctl/authctl/internal/providers"
)

// devicePatience is how long a person may take where the service's code is good for longer.
const devicePatience = 30 * time.Minute

// onDevice has a person log in on any device, and keeps the token. It needs no terminal: who
// reads the log of a pipeline may log in too.
func (l *login) onDevice(ctx context.Context, c *client.Client) (oauth.Token, error) {
	// Typing a secret does not count against the service's time.
	if err := c.Profile.Ask(ctx, c.Timeout); err != nil {
		return oauth.Token{}, err
	}
	limit, shown := l.Timeout.Or(devicePatience), false
	waiting, cancel := context.WithCancelCause(ctx)
	// The service has as long as for any call, the person from when the code is shown.
	timer := time.AfterFunc(c.Timeout, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	stop := func() {}
	token, err := c.Provider.Login(waiting, providers.Interaction{
		ShowUserCode: func(_ context.Context, d devicecode.Authorization) error {
			timer.Reset(limit)
			shown = true
			l.showCode(ctx, c, d, min(limit, d.Lifetime))
			if l.UI.ErrTerminal && !l.Global.Quiet {
				stop = l.UI.Spin("waiting for the login")
			}
			return nil
		},
	})
	stop()
	cancel(nil)
	l.SayIfInterrupted(err, "nobody was logged in")
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.Reason == providers.ReasonLogin {
		failure.Hint = cmp.Or(failure.Hint, "run "+l.Subject.LoginCommand+" again")
	} else if !ok && shown && errors.Is(context.Cause(waiting), context.DeadlineExceeded) {
		err = &providers.Failure{
			Reason: providers.ReasonLogin, Err: err, Message: "nobody did within " + moment.Lasting(limit),
			Hint: "run " + l.Subject.LoginCommand + " again",
		}
	}
	if err != nil {
		return token, fmt.Errorf("logging in as profile %s: %w", c.Profile.Name, err)
	}
	return token, keep(ctx, c, token)
}

// showCode says where to log in, and with which code. The address and the code stand on lines of
// their own, to be copied; they are for everybody's eyes (RFC 8628 §5.1 has the code short-lived).
func (l *login) showCode(ctx context.Context, c *client.Client, d devicecode.Authorization, left time.Duration) {
	line := func(text string) { _, _ = fmt.Fprintln(l.UI.Streams.Err, l.UI.Err.Strong(text)) }
	whole := cmp.Or(d.VerificationURIComplete, d.VerificationURI)
	if !l.noBrowser && graphical(l.Deps) {
		if err := openBrowser(ctx, l.Deps, c, whole.String()); err != nil {
			l.UI.Warn("no browser could be opened: " + err.Error())
		} else {
			l.UI.Note("the browser opens " + whole.Scheme + "://" + whole.Host)
		}
	}
	told := [][2]string{
		{"to log in, open this address on any device within " + moment.Lasting(left) + ":", d.VerificationURI.String()},
		{"and type this code there:", d.UserCode},
	}
	if d.VerificationURIComplete != nil {
		told = append(told, [2]string{"or open this one, which has the code in it:", whole.String()})
	}
	var shown []string
	for _, t := range told {
		l.UI.Note(t[0])
		line(t[1])
		shown = append(shown, "authctl: "+t[0], t[1])
	}
	l.UI.ShowQRCode(whole.String(), shown...)
}

// graphical reports whether a browser that is started here would be seen by somebody.
func graphical(d *verb.Deps) bool {
	set := func(name string) bool { value, _ := d.LookupEnv(name); return value != "" }
	switch runtime.GOOS {
	case "windows", "darwin":
		return set("BROWSER") || !set("SSH_CONNECTION")
	}
	return set("BROWSER") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
