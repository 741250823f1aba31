package secretservice

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secretservicetest"
	"github.com/godbus/dbus/v5"
)

// promptingService is a Secret Service that holds nothing and answers every write
// with a prompt, as some do for each program that is new to them.
type promptingService struct {
	// prompt is called when a client shows the prompt.
	prompt func(*dbus.Conn)
	// dismiss is called when a client takes it away.
	dismiss func()
	// refuse answers writes instead, when not nil.
	refuse *dbus.Error
}

const (
	promptPath  = secretsPath + "/prompt/p1"
	sessionPath = secretsPath + "/session/s1"
)

// serve puts the service on the bus of s until the test ends.
func (p promptingService) serve(t *testing.T, s *secretservicetest.Session) {
	t.Helper()
	conn, err := dbus.Connect(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for _, object := range []struct {
		path    dbus.ObjectPath
		name    string
		methods map[string]any
	}{
		{secretsPath, "org.freedesktop.Secret.Service", map[string]any{
			"OpenSession": func(string, dbus.Variant) (dbus.Variant, dbus.ObjectPath, *dbus.Error) {
				return dbus.MakeVariant(""), sessionPath, nil
			},
			"SearchItems": func(map[string]string) ([]dbus.ObjectPath, []dbus.ObjectPath, *dbus.Error) {
				return nil, nil, nil
			},
			"ReadAlias": func(string) (dbus.ObjectPath, *dbus.Error) { return loginPath, nil },
		}},
		{loginPath, "org.freedesktop.DBus.Properties", map[string]any{
			"Get": func(string, string) (dbus.Variant, *dbus.Error) { return dbus.MakeVariant(false), nil },
		}},
		{loginPath, "org.freedesktop.Secret.Collection", map[string]any{
			"CreateItem": func(map[string]dbus.Variant, []any, bool) (dbus.ObjectPath, dbus.ObjectPath, *dbus.Error) {
				return "/", promptPath, p.refuse
			},
		}},
		{promptPath, "org.freedesktop.Secret.Prompt", map[string]any{
			"Prompt":  func(string) *dbus.Error { p.prompt(conn); return nil },
			"Dismiss": func() *dbus.Error { p.dismiss(); return nil },
		}},
	} {
		if err := conn.ExportMethodTable(object.methods, object.path, object.name); err != nil {
			t.Fatal(err)
		}
	}
	if reply, err := conn.RequestName("org.freedesktop.secrets", dbus.NameFlagDoNotQueue); err != nil ||
		reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("owning the name: %v, %v", reply, err)
	}
}

// client is one of the service, on a bus of its own.
func (p promptingService) client(t *testing.T, s *secretservicetest.Session) *Client {
	t.Helper()
	p.serve(t, s)
	return clientAt(s.Address())
}

func TestDismissedPrompt(t *testing.T) {
	t.Parallel()
	c := promptingService{prompt: func(conn *dbus.Conn) {
		if err := conn.Emit(promptPath, "org.freedesktop.Secret.Prompt.Completed", true, dbus.MakeVariant("")); err != nil {
			t.Error(err)
		}
	}}.client(t, secretservicetest.StartBus(t))
	err := c.Set(t.Context(), "a", "fake")
	if e := wantProblem(t, err, Locked); !errors.Is(e, errDismissed) {
		t.Errorf("the error is %v", e)
	}
}

func TestUnansweredPrompt(t *testing.T) {
	t.Parallel()
	dismissed := make(chan struct{})
	c := promptingService{
		prompt: func(*dbus.Conn) {}, dismiss: func() { close(dismissed) },
	}.client(t, secretservicetest.StartBus(t))
	ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, errSilent)
	defer cancel()
	if err := c.Set(ctx, "a", "fake"); !errors.Is(err, errSilent) {
		t.Errorf("the error is %v", err)
	}
	<-dismissed
}

func TestBusDiesInPrompt(t *testing.T) {
	t.Parallel()
	s := secretservicetest.StartBus(t)
	c := promptingService{prompt: func(*dbus.Conn) { go s.StopBus() }}.client(t, s)
	wantProblem(t, c.Set(t.Context(), "a", "fake"), Unreachable)
}

func TestServiceDiesInPrompt(t *testing.T) {
	t.Parallel()
	c := promptingService{prompt: func(conn *dbus.Conn) { go func() { _ = conn.Close() }() }}.client(t, secretservicetest.StartBus(t))
	err := c.Set(t.Context(), "a", "fake")
	if e := wantProblem(t, err, Unreachable); !errors.Is(e, errLeft) && !strings.Contains(e.Error(), "NoReply") {
		t.Errorf("the error is %v", e)
	}
}

func TestHostileAnswer(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Problem{
		"org.example.Evil":                            Refused,
		"org.freedesktop.Secret.Error.IsLocked":       Locked,
		"org.freedesktop.DBus.Error.NoReply":          Unreachable,
		"org.freedesktop.DBus.Error.Timeout":          Locked,
		"org.freedesktop.DBus.Error.AccessDenied":     Refused,
		"org.freedesktop.DBus.Error.Spawn.ExecFailed": Unreachable,
	} {
		text := strings.Repeat("no\n\x1b[31m\u202e", 100)
		err := sorted(*dbus.NewError(name, []any{text}))
		wantProblem(t, err, want)
		if said := err.Error(); strings.ContainsAny(said, "\n\x1b\u202e") || len(said) > 600 {
			t.Errorf("%s is shown as %s", name, said)
		}
	}
	refuse := dbus.NewError("org.example.Evil", []any{"a\nb"})
	err := promptingService{refuse: refuse}.client(t, secretservicetest.StartBus(t)).Set(t.Context(), "a", "fake")
	if e := wantProblem(t, err, Refused); !strings.Contains(e.Error(), `"org.example.Evil": "a b"`) {
		t.Errorf("the error is %v", e)
	}
}
