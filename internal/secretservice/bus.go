//go:build !windows && !darwin

package secretservice

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/godbus/dbus/v5"
)

// bus is a connection to the session bus
// (https://dbus.freedesktop.org/doc/dbus-specification.html). Whoever calls reads the
// answers too, so no goroutine runs beside a call and none is left behind. godbus has the
// types and the form of the messages; its own connection waits for four answers before
// the first call, reads in a goroutine and starts one more for each call.
type bus struct {
	conn net.Conn
	in   *bufio.Reader
	// out is what goes out with the next exchange.
	out    bytes.Buffer
	serial uint32
	// hello is the greeting until it is answered.
	hello *request
	// signals hears of each signal; nil means nobody does.
	signals func(*dbus.Message)
	// broken is why the connection is of no use any more.
	broken error
}

const (
	busPath = dbus.ObjectPath("/org/freedesktop/DBus")
	busName = "org.freedesktop.DBus"
	// greeting asks to be let in as who the socket says we are, which is right in a user
	// namespace too; as sd-bus does, it does not wait for the question after that. What
	// follows begin waits for the answer: xdg-dbus-proxy, which guards the bus of a sandbox,
	// loses what comes with the greeting.
	greeting = "\x00AUTH EXTERNAL\r\nDATA\r\n"
	begin    = "BEGIN\r\n"
	// headLen is the length of what each message begins with, whose bytes 8 to 11 are the
	// serial.
	headLen = 16
	// maxMessage is the most that is read as one message, in bytes.
	maxMessage = 16 << 20
	// partingTime is how long something may take that is said without waiting for an answer.
	partingTime = 100 * time.Millisecond
)

var (
	// errBusAddress says that the bus has no address that we could use.
	errBusAddress = errors.New("the address of the session bus names no unix socket")
	// errAnswer says that somebody answered with something else than the specification
	// has there.
	errAnswer = errors.New("the answer is not what the Secret Service's specification says")
)

// dialBus connects to the first of the addresses that can be reached. Nothing is sent
// before the first exchange.
func dialBus(ctx context.Context, addresses string) (*bus, error) {
	err := errBusAddress
	for address := range strings.SplitSeq(addresses, ";") {
		name := socketOf(address)
		if name == "" {
			continue
		}
		var conn net.Conn
		if conn, err = new(net.Dialer).DialContext(ctx, "unix", name); err == nil {
			b := &bus{conn: conn, in: bufio.NewReader(conn)}
			b.out.WriteString(begin)
			b.hello = &request{path: busPath, method: busName + ".Hello"}
			return b, b.queue(b.hello)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return nil, err
}

// socketOf is the socket of an address of the form unix:path=… or unix:abstract=…, as the
// net package names it; empty where it is neither.
func socketOf(address string) string {
	keys, ok := strings.CutPrefix(address, "unix:")
	for pair := range strings.SplitSeq(keys, ",") {
		key, value, _ := strings.Cut(pair, "=")
		name, err := dbus.UnescapeBusAddressValue(value)
		switch {
		case !ok || err != nil:
		case key == "path":
			return name
		case key == "abstract":
			return "@" + name
		}
	}
	return ""
}

// request is a call of a method, and its answer.
type request struct {
	path dbus.ObjectPath
	// method is interface and name.
	method string
	args   []any

	serial uint32
	// answered says that body or err is there.
	answered bool
	body     []any
	err      error
}

// field returns a value of the answer to a request.
func field[T any](r *request, i int) (T, error) {
	var none T
	if r.err != nil {
		return none, r.err
	}
	if i < len(r.body) {
		if value, ok := r.body[i].(T); ok {
			return value, nil
		}
	}
	return none, fmt.Errorf("%w: %s", errAnswer, r.method)
}

// queue has requests go out with the next exchange.
func (b *bus) queue(requests ...*request) error {
	for _, r := range requests {
		if err := b.encode(r, 0); err != nil {
			return err
		}
	}
	return nil
}

func (b *bus) encode(r *request, flags dbus.Flags) error {
	dot := strings.LastIndexByte(r.method, '.')
	to := secretsName
	if r.path == busPath {
		to = busName
	}
	m := &dbus.Message{Type: dbus.TypeMethodCall, Flags: flags, Body: r.args, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath:        dbus.MakeVariant(r.path),
		dbus.FieldDestination: dbus.MakeVariant(to),
		dbus.FieldInterface:   dbus.MakeVariant(r.method[:dot]),
		dbus.FieldMember:      dbus.MakeVariant(r.method[dot+1:]),
	}}
	if len(r.args) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(r.args...))
	}
	start := b.out.Len()
	if err := m.EncodeTo(&b.out, binary.LittleEndian); err != nil {
		b.out.Truncate(start)
		return fmt.Errorf("%s cannot be said: %w", r.method, err)
	}
	// godbus keeps the serial to its own connection.
	b.serial++
	r.serial = b.serial
	binary.LittleEndian.PutUint32(b.out.Bytes()[start+8:], r.serial)
	return nil
}

// tell sends a request whose answer nobody needs, whatever has become of the context.
func (b *bus) tell(r *request) {
	_ = b.conn.SetDeadline(time.Now().Add(partingTime))
	b.out.Reset()
	if b.encode(r, dbus.FlagNoReplyExpected) == nil {
		_, _ = b.conn.Write(b.out.Bytes())
	}
}

// exchange sends requests together and reads until all are answered. What the others said
// is in the requests; the error is one of the connection, which is broken then.
func (b *bus) exchange(ctx context.Context, requests ...*request) error {
	if err := b.queue(requests...); err != nil {
		return err
	}
	return b.await(ctx, func() bool {
		for _, r := range requests {
			if !r.answered {
				return false
			}
		}
		return true
	}, requests...)
}

// await sends what is queued and reads until done says so.
func (b *bus) await(ctx context.Context, done func() bool, requests ...*request) error {
	heeded := b.heed(ctx)
	err := b.send()
	for err == nil && !done() {
		err = b.receive(requests...)
	}
	if heeded() && err != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		b.broken = err
	}
	return err
}

// heed has reading and writing end with ctx. What it returns stops that and tells whether it was so.
func (b *bus) heed(ctx context.Context) (stop func() bool) {
	ended := make(chan struct{})
	unheed := context.AfterFunc(ctx, func() {
		_ = b.conn.SetDeadline(time.Unix(1, 0))
		close(ended)
	})
	return func() bool {
		if unheed() {
			return false
		}
		<-ended
		b.broken = context.Cause(ctx)
		return true
	}
}

// send sends what is queued; the first time it sees to it that we are let in.
func (b *bus) send() error {
	hello := b.hello
	if hello != nil {
		if err := b.authenticate(); err != nil {
			return err
		}
		b.hello = nil
	}
	_, err := b.out.WriteTo(b.conn)
	for err == nil && hello != nil && !hello.answered {
		err = b.receive(hello)
	}
	if err == nil && hello != nil {
		err = hello.err
	}
	return err
}

// authenticate is let in by the bus (D-Bus specification, Authentication Protocol).
func (b *bus) authenticate() error {
	if _, err := io.WriteString(b.conn, greeting); err != nil {
		return err
	}
	for {
		line, err := b.in.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimSpace(line)
		switch word, _, _ := strings.Cut(line, " "); word {
		case "DATA":
		case "OK":
			return nil
		default:
			return fmt.Errorf("the session bus does not let us in: %s", secret.Quote(line))
		}
	}
}

// receive reads one message and delivers it.
func (b *bus) receive(requests ...*request) error {
	m, err := b.read()
	if err == nil {
		b.deliver(m, requests)
	}
	return err
}

// read reads one message.
func (b *bus) read() (*dbus.Message, error) {
	head, err := b.in.Peek(headLen)
	if err != nil {
		return nil, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'B' {
		order = binary.BigEndian
	}
	body, fields := int64(order.Uint32(head[4:])), int64(order.Uint32(head[12:]))
	length := headLen + (fields+7)/8*8 + body
	if length > maxMessage {
		return nil, fmt.Errorf("%w: a message of %d bytes", errAnswer, length)
	}
	message := make([]byte, length)
	if _, err := io.ReadFull(b.in, message); err != nil {
		return nil, err
	}
	m, err := dbus.DecodeMessage(bytes.NewReader(message))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAnswer, err)
	}
	return m, nil
}

// deliver gives a message to the request that it answers, or tells of a signal.
func (b *bus) deliver(m *dbus.Message, requests []*request) {
	if m.Type == dbus.TypeSignal && b.signals != nil {
		b.signals(m)
		return
	}
	serial, _ := m.Headers[dbus.FieldReplySerial].Value().(uint32)
	for _, r := range requests {
		if r.answered || r.serial != serial {
			continue
		}
		switch m.Type {
		case dbus.TypeMethodReply:
			r.answered, r.body = true, m.Body
		case dbus.TypeError:
			name, _ := m.Headers[dbus.FieldErrorName].Value().(string)
			r.answered, r.err = true, dbus.Error{Name: name, Body: m.Body}
		}
	}
}
