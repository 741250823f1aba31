package redistest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fault is what becomes of a command between client and server. The zero value is none: it is passed on.
type Fault struct {
	// Delay comes before the command is passed on, or Answer given.
	Delay time.Duration
	// Answer is given in the server's place, as it is: -LOADING…\r\n, or what is no answer at all.
	Answer string
	// Refuse ends the connection, and the server never hears of the command. Lose passes it on and ends the connection
	// behind so many bytes of the answer, less than the answer has.
	Refuse, Lose bool
	Bytes        int
	// Silent passes nothing on any more, neither this nor what follows, and ends nothing.
	Silent bool
}

// Command is one that a client has sent.
type Command struct {
	// Name is in upper case.
	Name string
	Args []string
	// Number counts the commands of all connections, those of Prepares left out, from 1.
	Number int
}

// Prepares reports whether the command only sets a connection up.
func (c Command) Prepares() bool {
	switch c.Name {
	case "HELLO", "AUTH", "SELECT", "CLIENT":
		return true
	}
	return false
}

// Proxy stands between clients and a server without TLS.
type Proxy struct {
	// Host is where it listens, HOST:PORT.
	Host   string
	server string

	mu     sync.Mutex
	decide func(Command) Fault
	count  int
	open   map[net.Conn]bool
}

// StartProxy starts one without a fault, and ends it with the test.
func StartProxy(t testing.TB, e *Engine) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("starting a proxy: %v", err)
	}
	p := &Proxy{Host: listener.Addr().String(), server: e.Host, open: map[net.Conn]bool{}}
	p.Each(Fault{})
	t.Cleanup(func() {
		_ = listener.Close()
		p.Cut()
	})
	go p.serve(listener)
	return p
}

// URL is the address as a profile has it.
func (p *Proxy) URL() string { return "redis://" + p.Host + "/0" }

// Decide has a function say what becomes of each command from now on. It may be called by several connections at once.
func (p *Proxy) Decide(decide func(Command) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decide = decide
}

// Each has the same fault meet each command from now on that does more than to prepare a connection.
func (p *Proxy) Each(f Fault) {
	p.Decide(func(c Command) Fault {
		if c.Prepares() {
			return Fault{}
		}
		return f
	})
}

// Cut ends all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for connection := range p.open {
		_ = connection.Close()
	}
}

// Commands is how many commands have come that do more than to prepare a connection.
func (p *Proxy) Commands() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

func (p *Proxy) serve(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server) //nolint:noctx // loopback
		if err != nil {
			_ = client.Close()
			continue
		}
		p.remember(true, client, server)
		l := &link{proxy: p, client: client, server: server, quiet: sync.NewCond(new(sync.Mutex))}
		over := make(chan struct{})
		l.over, l.finish = over, sync.OnceFunc(func() { close(over) })
		go l.forth()
		go l.back()
	}
}

func (p *Proxy) remember(open bool, connections ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range connections {
		if open {
			p.open[c] = true
		} else {
			delete(p.open, c)
		}
	}
}

// judge counts a command and has it decided upon.
func (p *Proxy) judge(words []string) Fault {
	c := Command{Name: strings.ToUpper(words[0]), Args: words[1:]}
	p.mu.Lock()
	decide := p.decide
	if !c.Prepares() {
		p.count++
	}
	c.Number = p.count
	p.mu.Unlock()
	return decide(c)
}

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	over           <-chan struct{}
	finish         func()

	// quiet guards the rest: how many answers are still to come before one of ours may be given, how many bytes of the
	// answer that is due then get through (-1 for all), and whether anything does.
	quiet  *sync.Cond
	due    int
	lose   bool
	bytes  int
	silent bool
}

func (l *link) end() {
	_, _ = l.client.Close(), l.server.Close()
	l.finish()
	l.proxy.remember(false, l.client, l.server)
	l.quiet.L.Lock()
	defer l.quiet.L.Unlock()
	l.due = 0
	l.quiet.Broadcast()
}

// forth passes commands on.
func (l *link) forth() {
	defer l.end()
	from := bufio.NewReader(l.client)
	for {
		raw, command, err := readAnswer(from)
		if err != nil || len(words(command)) == 0 {
			return
		}
		if err := l.pass(raw, words(command)); err != nil {
			return
		}
	}
}

var errRefused = errors.New("the connection has ended")

func (l *link) pass(raw []byte, command []string) error {
	f := l.proxy.judge(command)
	select {
	case <-time.After(f.Delay):
	case <-l.over:
		return errRefused
	}
	if f.Silent {
		l.awaitQuiet()
	}
	if l.isSilent(f.Silent) {
		return nil
	}
	if f.Answer != "" || f.Refuse {
		l.awaitQuiet()
		_, err := io.WriteString(l.client, f.Answer)
		if f.Refuse {
			err = errRefused
		}
		return err
	}
	l.quiet.L.Lock()
	// What is subscribed to is answered when it happens.
	if !strings.HasSuffix(strings.ToUpper(command[0]), "SUBSCRIBE") {
		l.due++
	}
	if f.Lose {
		l.lose, l.bytes = true, f.Bytes
	}
	l.quiet.L.Unlock()
	_, err := l.server.Write(raw)
	return err
}

// isSilent reports whether nothing goes through any more, from now on if so.
func (l *link) isSilent(now bool) bool {
	l.quiet.L.Lock()
	defer l.quiet.L.Unlock()
	l.silent = l.silent || now
	return l.silent
}

// awaitQuiet waits until every command that was passed on has its answer.
func (l *link) awaitQuiet() {
	l.quiet.L.Lock()
	defer l.quiet.L.Unlock()
	for l.due > 0 {
		l.quiet.Wait()
	}
}

// back passes answers on.
func (l *link) back() {
	defer l.end()
	from := bufio.NewReader(l.server)
	for {
		raw, _, err := readAnswer(from)
		if err != nil {
			return
		}
		if l.isSilent(false) {
			continue
		}
		if end := l.answer(raw); end {
			return
		}
	}
}

// answer passes one on, and reports whether the connection ends there.
func (l *link) answer(raw []byte) (end bool) {
	l.quiet.L.Lock()
	defer l.quiet.L.Unlock()
	pushed := raw[0] == '>'
	if !pushed && l.due > 0 {
		l.due--
	}
	if end = l.lose && l.due == 0 && !pushed; end {
		raw = raw[:min(l.bytes, len(raw)-1)]
	}
	_, err := l.client.Write(raw)
	l.quiet.Broadcast()
	return end || err != nil
}
