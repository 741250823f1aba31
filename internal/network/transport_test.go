package network

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
)

// dialled returns both ends of an orderly connection.
func dialled(t *testing.T) (here net.Conn, there *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	here, err = Orderly((&net.Dialer{}).DialContext)(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = here.Close() })
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return here, conn.(*net.TCPConn)
}

func TestOrderlySpeaksFirst(t *testing.T) {
	t.Parallel()
	here, there := dialled(t)
	if _, err := io.WriteString(there, "unasked"); err != nil {
		t.Fatal(err)
	}
	var spoken atomic.Bool
	read := make(chan string, 1)
	go func() {
		b := make([]byte, 100)
		n, _ := here.Read(b)
		if !spoken.Load() {
			t.Error("something was read before anything was written")
		}
		read <- string(b[:n])
	}()
	spoken.Store(true)
	if _, err := io.WriteString(here, "hello"); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "unasked" {
		t.Errorf("read %q", got)
	}
}

func TestOrderlyClose(t *testing.T) {
	t.Parallel()
	here, _ := dialled(t)
	read := make(chan error, 1)
	go func() {
		_, err := here.Read(make([]byte, 1))
		read <- err
	}()
	_ = here.Close()
	if err := <-read; !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if _, err := here.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing: %v", err)
	}
}

// TestOrderlyLastWord has another side that says something and is gone, without having read.
func TestOrderlyLastWord(t *testing.T) {
	t.Parallel()
	here, there := dialled(t)
	_, _ = io.WriteString(there, "the last word")
	_ = there.SetLinger(0)
	_ = there.Close()
	for range 3 {
		if n, err := here.Write([]byte("request")); n != 7 || err != nil {
			t.Errorf("writing: %d, %v", n, err)
		}
	}
	said, _ := io.ReadAll(here) // other systems than Linux drop what was not read
	if got := string(said); got != "the last word" && runtime.GOOS == "linux" {
		t.Errorf("read %q", got)
	}
}
