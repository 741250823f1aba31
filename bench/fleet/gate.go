//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/authctl/authctl/bench/lab"
)

// A gate stands in front of the service. Open it passes connections on; shut it refuses them; mute it takes them and
// says nothing, as a service does that hangs.
type gate struct {
	address, target string

	mu       sync.Mutex
	listener net.Listener
	mute     bool
	held     []net.Conn
	// vain is how many connections were taken and not passed on.
	vain int
}

// newGate opens a gate to an address. Its port is below those that the system gives to connections on their way out,
// so that none of them takes it while the gate is shut.
func newGate(target string) (*gate, error) {
	g := &gate{target: target}
	for range 100 {
		g.address = fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if g.open() == nil {
			return g, nil
		}
	}
	return nil, errors.New("no port between 20000 and 32000 is free")
}

// open passes connections on, and ends those that were kept waiting.
func (g *gate) open() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mute = false
	for _, conn := range g.held {
		_ = conn.Close()
	}
	g.held = nil
	if g.listener != nil {
		return nil
	}
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		return err
	}
	g.listener = listener
	go g.accept(listener)
	return nil
}

// hang takes connections from now on, and says nothing.
func (g *gate) hang() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mute = true
	return nil
}

// refuse takes no connections from now on. Those that are there go on.
func (g *gate) refuse() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener == nil {
		return nil
	}
	err := g.listener.Close()
	g.listener = nil
	return err
}

// inVain is how many connections were taken so far and not passed on.
func (g *gate) inVain() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.vain
}

// close ends it, as a closer of the ground.
func (g *gate) close() error { return errors.Join(g.open(), g.refuse()) }

func (g *gate) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		g.mu.Lock()
		mute := g.mute
		if mute {
			g.held, g.vain = append(g.held, conn), g.vain+1
		}
		g.mu.Unlock()
		if !mute {
			go g.pass(conn)
		}
	}
}

// pass connects both sides until one of them has said all.
func (g *gate) pass(conn net.Conn) {
	defer conn.Close()
	service, err := net.DialTimeout("tcp", g.target, lab.Patience) //nolint:noctx // it is bounded
	if err != nil {
		return
	}
	defer service.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{conn, service}, {service, conn}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
}
