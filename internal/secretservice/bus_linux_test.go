package secretservice

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	gocmp "github.com/google/go-cmp/cmp"
)

// fakeBus is a session bus with a Secret Service behind it, which has one entry and asks
// before it writes. It can be told to misbehave where a real one never would.
type fakeBus struct {
	address string
	// fault is done in place of answering the method that is named at; "auth" is the greeting.
	fault fault
	at    string
	// has says that there is an entry, and homeless that there is no collection.
	has, homeless bool

	mu sync.Mutex
	// asks is the method that is asked about in the prompt.
	asks  string
	calls []string
	open  []net.Conn
}

// A fault is what a bus does in place of an answer.
type fault struct {
	name string
	// close ends the connection; silent says nothing; else body, or the error of that name, is the answer.
	close, silent bool
	body          []any
	failed        string
	// heals says that it is over once something was unlocked.
	heals bool
}

const (
	fakeItem     = loginPath + "/1"
	fakePrompt   = secretsPath + "/prompt/p1"
	fakeSession  = secretsPath + "/session/s1"
	fakeGreeting = "auth"
)

// startFakeBus starts a bus that ends with the test.
func startFakeBus(t *testing.T, b *fakeBus) {
	t.Helper()
	dir, err := os.MkdirTemp("", "authctl")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	b.address = "unix:path=" + filepath.Join(dir, "bus")
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.open = append(b.open, conn)
			b.mu.Unlock()
			served.Go(func() { b.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		b.mu.Lock()
		for _, conn := range b.open {
			_ = conn.Close()
		}
		b.mu.Unlock()
		served.Wait()
		_ = os.RemoveAll(dir)
	})
}

// client is one of the service on the bus.
func (b *fakeBus) client() *Client { return clientAt(b.address) }

// clientAt is a client of the service behind a bus.
func clientAt(address string) *Client {
	c := New("authctl")
	c.Address = func() (string, error) { return address, nil }
	return c
}

// wantProblem expects an *Error of a problem and returns it.
func wantProblem(t *testing.T, err error, want Problem) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Problem != want {
		t.Fatalf("the error is %v, want one that says %s", err, want)
	}
	return e
}

// called returns how often a method was called.
func (b *fakeBus) called(method string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, call := range b.calls {
		if call == method {
			n++
		}
	}
	return n
}

// serve answers one client.
func (b *fakeBus) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	heard := func(last string) bool {
		for {
			if line, err := in.ReadString('\n'); err != nil || line == last {
				return err == nil
			}
		}
	}
	if !heard("DATA\r\n") {
		return
	}
	// As xdg-dbus-proxy does: what came with the greeting is lost.
	_, _ = in.Discard(in.Buffered())
	greeting := "DATA\r\nOK 0123\r\n"
	if b.at == fakeGreeting {
		switch {
		case b.fault.close:
			_ = conn.Close()
			return
		case b.fault.silent:
			greeting = ""
		default:
			greeting = "REJECTED \x1b[31mEXTERNAL\r\n"
		}
	}
	if _, err := io.WriteString(conn, greeting); err != nil || !heard("BEGIN\r\n") {
		return
	}
	for {
		m, err := dbus.DecodeMessage(in)
		if err != nil || !b.answer(conn, m) {
			return
		}
	}
}

// answer answers a call and reports whether the connection goes on.
func (b *fakeBus) answer(conn net.Conn, m *dbus.Message) bool {
	method, _ := m.Headers[dbus.FieldMember].Value().(string)
	b.mu.Lock()
	b.calls = append(b.calls, method)
	if slices.Contains([]string{"CreateItem", "CreateCollection", "Delete", "Unlock"}, method) {
		b.asks = method
	}
	b.mu.Unlock()
	body, failed := b.usual(method), ""
	if b.at == method && (!b.fault.heals || b.called("Unlock") == 0) {
		if b.fault.close {
			_ = conn.Close()
			return false
		}
		body, failed = b.fault.body, b.fault.failed
		if b.fault.silent {
			return true
		}
	}
	reply := &dbus.Message{Type: dbus.TypeMethodReply, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(m.Serial()),
	}}
	if failed != "" {
		reply.Type = dbus.TypeError
		reply.Headers[dbus.FieldErrorName] = dbus.MakeVariant(failed)
	}
	send(conn, reply)
	if method == "Prompt" && failed == "" {
		b.complete(conn)
	}
	return true
}

// complete ends a prompt, as the fault at "Completed" says.
func (b *fakeBus) complete(conn net.Conn) {
	body := []any{false, dbus.MakeVariant(map[string]any{
		"CreateItem": fakeItem, "CreateCollection": loginPath, "Delete": "", "Unlock": []dbus.ObjectPath{fakeItem},
	}[b.asks])}
	if b.at == "Completed" {
		if b.fault.close {
			_ = conn.Close()
		}
		if body = b.fault.body; b.fault.silent || b.fault.close {
			return
		}
	}
	signal := func(path dbus.ObjectPath, space, name string, body ...any) {
		send(conn, &dbus.Message{Type: dbus.TypeSignal, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldPath:      dbus.MakeVariant(path),
			dbus.FieldInterface: dbus.MakeVariant(space),
			dbus.FieldMember:    dbus.MakeVariant(name),
		}})
	}
	if b.at == "NameOwnerChanged" {
		signal(busPath, busName, "NameOwnerChanged", secretsName, ":1.2", "")
		return
	}
	signal(secretsPath, "org.example.Other", "Completed", true)
	signal(fakePrompt+"0", promptInterface, "Completed", true, dbus.MakeVariant(""))
	signal(fakePrompt, promptInterface, "Completed", body...)
}

func send(conn net.Conn, m *dbus.Message) {
	if len(m.Body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(m.Body...))
	}
	var out bytes.Buffer
	if err := m.EncodeTo(&out, binary.BigEndian); err != nil {
		panic(err)
	}
	binary.BigEndian.PutUint32(out.Bytes()[8:], 1)
	_, _ = conn.Write(out.Bytes())
}

// usual is what a Secret Service answers.
func (b *fakeBus) usual(method string) []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := []dbus.ObjectPath{}
	if b.has {
		items = append(items, fakeItem)
	}
	switch method {
	case "Hello":
		return []any{":1.1"}
	case "OpenSession":
		return []any{dbus.MakeVariant(""), fakeSession}
	case "SearchItems":
		return []any{items, []dbus.ObjectPath{}}
	case "GetSecret":
		return []any{(&Client{session: fakeSession}).secret("fake-secret")}
	case "ReadAlias":
		if b.homeless {
			return []any{noPath}
		}
		return []any{loginPath}
	case "Get":
		if b.homeless {
			return nil
		}
		return []any{dbus.MakeVariant(false)}
	case "CreateItem", "CreateCollection":
		return []any{noPath, fakePrompt}
	case "Delete":
		return []any{fakePrompt}
	case "Unlock":
		return []any{[]dbus.ObjectPath{}, fakePrompt}
	}
	return nil
}

func TestFakeBus(t *testing.T) {
	t.Parallel()
	b := &fakeBus{}
	startFakeBus(t, b)
	c := b.client()
	if _, err := c.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an empty keyring: %v", err)
	}
	if err := c.Set(t.Context(), "a", "fake"); err != nil {
		t.Error(err)
	}
	b.mu.Lock()
	b.has = true
	b.mu.Unlock()
	if got, err := c.Get(t.Context(), "a"); err != nil || got != "fake-secret" {
		t.Errorf("Secret() = %q, %v", got, err)
	}
	if err := cmp.Or(c.Set(t.Context(), "a", "fake"), c.Remove(t.Context(), "a")); err != nil {
		t.Error(err)
	}
	// The service has answered before a session is opened, see introduced. Who has looked for an entry does not look
	// again to write it.
	if diff := gocmp.Diff([]string{
		"Hello", "Get", "OpenSession", "SearchItems", "ReadAlias", "Get", "CreateItem", "AddMatch", "AddMatch", "Prompt",
		"RemoveMatch", "RemoveMatch", "SearchItems", "GetSecret", "SetSecret", "SearchItems", "Delete",
		"AddMatch", "AddMatch", "Prompt",
	}, b.calls); diff != "" {
		t.Errorf("the calls are (-want +got):\n%s", diff)
	}
}

// misfortune is a fault, what was to be done, and what is said of it: nothing where it was done.
type misfortune struct {
	do, at string
	then   fault
	want   Problem
	text   string
}

const reading, writing, creating, deleting = "reading", "writing", "creating", "deleting"

func misfortunes() []misfortune {
	closed, silent := fault{name: "closes", close: true}, fault{name: "says nothing", silent: true}
	wrong := func(body ...any) fault { return fault{name: "answers with something else", body: body} }
	fails := func(name string) fault { return fault{name: "fails with " + name, failed: name} }
	unknown := errorPrefixDBus + "UnknownMethod"
	shut := fault{name: "is locked at first", failed: errorIsLocked, heals: true}
	rows := []misfortune{
		{reading, fakeGreeting, wrong(), Refused, "does not let us in"},
		{reading, "Hello", fails(errorPrefixDBus + "AccessDenied"), Refused, "AccessDenied"},
		{reading, "OpenSession", wrong(), Refused, "OpenSession"},
		{reading, "OpenSession", wrong("a", "b"), Refused, "OpenSession"},
		{reading, "OpenSession", fails(errorPrefixDBus + "ServiceUnknown"), Unreachable, "ServiceUnknown"},
		{reading, "SearchItems", wrong([]string{"/"}, []string{}), Refused, "SearchItems"},
		{reading, "SearchItems", wrong([]dbus.ObjectPath{fakeItem}), Refused, "SearchItems"},
		{reading, "SearchItems", fails(unknown), Refused, "UnknownMethod"},
		{reading, "GetSecret", wrong("fake-secret"), Refused, "GetSecret"},
		{reading, "GetSecret", wrong(struct{ A, B string }{"a", "b"}), Refused, "GetSecret"},
		{reading, "GetSecret", wrong(struct{ A, B, C, D string }{}), Refused, "GetSecret"},
		{reading, "GetSecret", fails(errorNoSuchObject), Refused, "NoSuchObject"},
		{reading, "GetSecret", fails(errorNoSession), Refused, "NoSession"},
		{reading, "GetSecret", fails(errorIsLocked), Locked, "IsLocked"},
		{reading, "GetSecret", shut, "", ""},
		{writing, "SetSecret", shut, "", ""},
		{creating, "CreateItem", shut, "", ""},
		{writing, "SetSecret", fails(unknown), Refused, "UnknownMethod"},
		{writing, "SetSecret", fails(errorIsLocked), Locked, "IsLocked"},
		// What cannot be overwritten is deleted and created.
		{writing, "SetSecret", fails("org.example.No"), "", ""},
		{writing, "SetSecret", silent, "", ""},
		{creating, "ReadAlias", wrong(uint32(1)), Refused, "ReadAlias"},
		{creating, "ReadAlias", fails(unknown), "", ""},
		{creating, "CreateItem", wrong(noPath, noPath), Refused, "CreateItem"},
		{creating, "CreateItem", wrong(fakeItem), Refused, "CreateItem"},
		{creating, "CreateItem", fails(errorNoSuchObject), Refused, "NoSuchObject"},
		{creating, "Completed", wrong(false, dbus.MakeVariant("item")), Refused, "CreateItem"},
		{deleting, "Delete", wrong(uint32(1)), Refused, "Delete"},
		{deleting, "Delete", fails(errorNoSuchObject), "", ""},
		{deleting, "Prompt", fails(unknown), Refused, "UnknownMethod"},
		{deleting, "Completed", wrong("yes"), Refused, "Completed"},
		{deleting, "Completed", wrong(), Refused, "Completed"},
	}
	for at, do := range map[string]string{
		fakeGreeting: reading, "Hello": reading, "OpenSession": reading, "SearchItems": reading, "GetSecret": reading,
		"CreateItem": creating, "ReadAlias": creating, "Delete": deleting,
	} {
		rows = append(rows, misfortune{do, at, closed, Unreachable, "the session bus does not answer"})
		rows = append(rows, misfortune{do, at, silent, late, "no answer within "})
	}
	for _, do := range []string{creating, deleting} {
		rows = append(rows,
			misfortune{do, "Prompt", closed, Unreachable, "the session bus does not answer"},
			misfortune{do, "Completed", closed, Unreachable, "the session bus does not answer"},
			misfortune{do, "Prompt", silent, late, "the keyring's prompt got no answer within "},
			misfortune{do, "Completed", silent, late, "the keyring's prompt got no answer within "},
			misfortune{do, "Completed", wrong(true, dbus.MakeVariant("")), Locked, "the keyring's prompt was dismissed"},
			misfortune{do, "NameOwnerChanged", fault{name: "leaves"}, Unreachable, "went away while its prompt was open"},
		)
	}
	return rows
}

// late is no problem of the service: the time was over, whose cause is errSilent.
const late Problem = "late"

var errSilent = errors.New("no answer within 200ms")

// meet does what a misfortune hinders, and expects what it says.
func (m misfortune) meet(t *testing.T) {
	t.Helper()
	b := &fakeBus{has: m.do != creating, at: m.at, fault: m.then}
	startFakeBus(t, b)
	c := b.client()
	ctx := t.Context()
	if m.then.silent {
		limit := 200 * time.Millisecond
		if m.want == "" {
			// Half of it is waited for, and the other half is for what succeeds.
			limit = 4 * time.Second
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errSilent)
		defer cancel()
	}
	var err error
	switch m.do {
	case reading:
		_, err = c.Get(ctx, "a")
	case deleting:
		err = c.Remove(ctx, "a")
	default:
		err = c.Set(ctx, "a", "fake")
	}
	if n := b.called("Unlock"); m.then.failed == errorIsLocked && n != 1 {
		t.Errorf("a person was asked %d times", n)
	}
	if m.want == "" {
		if err != nil {
			t.Errorf("the error is %v", err)
		}
		if m.do == writing && !m.then.heals && b.called("Delete")+b.called("CreateItem") != 2 {
			t.Errorf("the calls are %q, want a deletion and a creation", b.calls)
		}
		return
	}
	if m.want != late {
		wantProblem(t, err, m.want)
	} else if !errors.Is(err, errSilent) {
		t.Fatalf("the error is %v, want that of the time", err)
	}
	if text := err.Error(); !strings.Contains(text, m.text) || strings.ContainsAny(text, "\n\x1b") {
		t.Errorf("the error is %q, want %q in it", text, m.text)
	}
	if m.then.silent && strings.Contains(m.text, "prompt got") {
		b.wantDismissed(t)
	}
}

func TestBusFaults(t *testing.T) {
	t.Parallel()
	for _, m := range misfortunes() {
		t.Run(m.do+", "+m.at+" "+m.then.name, func(t *testing.T) {
			t.Parallel()
			m.meet(t)
		})
	}
}

// Nothing of a call is left when it has ended, however it ended. It runs alone: what runs beside it would be left too.
func TestBusLeavesNoGoroutine(t *testing.T) {
	for _, m := range misfortunes() {
		t.Run(m.do+", "+m.at+" "+m.then.name, m.meet)
	}
	var left []byte
	for range 1000 {
		left = make([]byte, 1<<20)
		left = left[:runtime.Stack(left, true)]
		if !bytes.Contains(left, []byte("secretservice.(*")) && !bytes.Contains(left, []byte("godbus")) {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("left behind:\n%s", left)
}

// Where there is no collection at all, the default one is made.
func TestNoCollection(t *testing.T) {
	t.Parallel()
	b := &fakeBus{homeless: true}
	startFakeBus(t, b)
	c := b.client()
	if _, err := c.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Secret() = %v", err)
	}
	if locked, err := c.Locked(t.Context()); err != nil || locked {
		t.Errorf("Locked() = %v, %v", locked, err)
	}
	if err := c.Set(t.Context(), "a", "fake"); err != nil {
		t.Error(err)
	}
	if n := b.called("CreateCollection"); n != 1 {
		t.Errorf("%d collections were made", n)
	}
}

// A connection that was kept is made anew where the bus has ended since, or the service behind it.
func TestBusIsFoundAgain(t *testing.T) {
	t.Parallel()
	b := &fakeBus{has: true}
	startFakeBus(t, b)
	c := b.client()
	for range 3 {
		if _, err := c.Get(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		b.mu.Lock()
		_ = b.open[len(b.open)-1].Close()
		b.mu.Unlock()
	}
	if n := b.called("Hello"); n != 3 {
		t.Errorf("%d connections were made, want 3", n)
	}
}

func TestSocketOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"unix:path=/run/user/0/bus,guid=01": "/run/user/0/bus", "unix:guid=01,path=/a%20b": "/a b", "unix:abstract=/tmp/x": "@/tmp/x",
		"tcp:host=a,port=1": "", "unix:": "", "unix:runtime=yes": "", "": "", "unix:path=%": "", "autolaunch:": "",
	} {
		if got := socketOf(address); got != want {
			t.Errorf("socketOf(%q) = %q, want %q", address, got, want)
		}
	}
}

// wantDismissed waits until the prompt was dismissed.
func (b *fakeBus) wantDismissed(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); b.called("Dismiss") == 0; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("the prompt is not dismissed")
		}
	}
}
