package redistest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/redistest"
)

// connect returns a connection to a proxy.
func connect(t *testing.T, p *redistest.Proxy) *bufio.ReadWriter {
	t.Helper()
	c, err := net.Dial("tcp", p.Host) //nolint:noctx // a deadline follows
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
}

// say sends commands in one go.
func say(t *testing.T, c *bufio.ReadWriter, commands ...[]string) {
	t.Helper()
	for _, command := range commands {
		_, _ = fmt.Fprintf(c, "*%d\r\n", len(command))
		for _, word := range command {
			_, _ = fmt.Fprintf(c, "$%d\r\n%s\r\n", len(word), word)
		}
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
}

// hear requires a line.
func hear(t *testing.T, c *bufio.ReadWriter, want string) {
	t.Helper()
	if got, err := c.ReadString('\n'); err != nil || got != want+"\r\n" {
		t.Errorf("heard %q, error %v; want %q", got, err, want)
	}
}

// hearEnd requires that the connection ends behind some bytes.
func hearEnd(t *testing.T, c *bufio.ReadWriter, want string) {
	t.Helper()
	if got, err := io.ReadAll(c); err != nil || string(got) != want {
		t.Errorf("heard %q up to the end, error %v; want %q", got, err, want)
	}
}

func TestProxyWithoutAFault(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	p := redistest.StartProxy(t, e)
	c := connect(t, p)
	say(t, c, []string{"HELLO", "3"}, []string{"SET", "a", "1"})
	hear(t, c, "%7")
	for line := ""; line != "+OK\r\n"; {
		var err error
		if line, err = c.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	say(t, c, []string{"SUBSCRIBE", "news"})
	for _, line := range []string{">3", "$9", "subscribe", "$4", "news", ":1"} {
		hear(t, c, line)
	}
	want(t, e, "1", "PUBLISH", "news", "x")
	hear(t, c, ">3")
	if n := p.Commands(); n != 2 {
		t.Errorf("%d commands counted, want SET and SUBSCRIBE", n)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	p := redistest.StartProxy(t, e)
	// second has a fault meet only what is asked for b.
	second := func(f redistest.Fault) {
		p.Decide(func(c redistest.Command) redistest.Fault {
			if c.Args[0] == "b" {
				return f
			}
			return redistest.Fault{}
		})
	}
	first := []string{"SET", "a", "1"}
	t.Run("answer in its turn", func(t *testing.T) {
		second(redistest.Fault{Answer: "-LOADING soon\r\n"})
		c := connect(t, p)
		say(t, c, first, []string{"SET", "b", "1"}, first)
		hear(t, c, "+OK")
		hear(t, c, "-LOADING soon")
		hear(t, c, "+OK")
		want(t, e, "<nil>", "GET", "b")
	})
	t.Run("refuse", func(t *testing.T) {
		second(redistest.Fault{Refuse: true})
		c := connect(t, p)
		say(t, c, first, []string{"SET", "b", "1"})
		hearEnd(t, c, "+OK\r\n")
		want(t, e, "<nil>", "GET", "b")
	})
	t.Run("lose", func(t *testing.T) {
		second(redistest.Fault{Lose: true, Bytes: 2})
		c := connect(t, p)
		say(t, c, first, []string{"SET", "b", "1"})
		hearEnd(t, c, "+OK\r\n+O")
		want(t, e, "1", "GET", "b")
	})
	t.Run("silent until it is cut", func(t *testing.T) {
		second(redistest.Fault{Silent: true})
		c := connect(t, p)
		say(t, c, []string{"SET", "c", "1"}, []string{"SET", "b", "2"}, []string{"SET", "d", "1"})
		hear(t, c, "+OK")
		// Another connection is not met, and comes later.
		other := connect(t, p)
		say(t, other, first)
		hear(t, other, "+OK")
		p.Cut()
		hearEnd(t, c, "")
		want(t, e, "<nil>", "GET", "d")
	})
	t.Run("server gone", func(t *testing.T) {
		e.Kill()
		hearEnd(t, connect(t, p), "")
	})
}
