//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// measure measures each hop in turns, so that what else the machine does meets all of them.
func (s *stand) measure(ctx context.Context, o options) (*report, error) {
	r := &report{Machine: lab.ThisMachine(), Connections: o.connections}
	for _, h := range s.hops {
		r.Hops = append(r.Hops, figures{Name: h.name})
	}
	for round := range o.rounds {
		for i, h := range s.hops {
			fmt.Fprintf(os.Stderr, "proxy: round %d of %d, %s\n", round+1, o.rounds, h.name)
			took, err := inTurn(ctx, h.url, o.requests)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", h.name, err)
			}
			r.Hops[i].Took = append(r.Hops[i].Took, lab.Median(took))
			rate, err := atOnce(ctx, h.url, o.connections, o.each)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", h.name, err)
			}
			r.Hops[i].Rates = append(r.Hops[i].Rates, rate)
		}
	}
	return r, nil
}

// newClient has a connection of its own.
func newClient() *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}
	return &http.Client{Transport: transport, Timeout: lab.Patience}
}

func ask(ctx context.Context, c *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/orders?page=1", nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != 1023 || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d, %d bytes, %w", resp.StatusCode, n, err)
	}
	return nil
}

// inTurn is how long each of some requests takes that follow each other on one connection.
func inTurn(ctx context.Context, url string, requests int) ([]time.Duration, error) {
	c := newClient()
	defer c.CloseIdleConnections()
	took := make([]time.Duration, 0, requests)
	for range requests {
		began := time.Now()
		if err := ask(ctx, c, url); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// atOnce is how many requests a second are answered to connections that ask without a pause.
func atOnce(ctx context.Context, url string, connections int, lasts time.Duration) (int64, error) {
	var answered atomic.Int64
	var failed atomic.Value
	var all sync.WaitGroup
	began := time.Now()
	for range connections {
		all.Go(func() {
			c := newClient()
			defer c.CloseIdleConnections()
			for time.Since(began) < lasts {
				if err := ask(ctx, c, url); err != nil {
					failed.Store(err)
					return
				}
				answered.Add(1)
			}
		})
	}
	all.Wait()
	if err, ok := failed.Load().(error); ok {
		return 0, err
	}
	return int64(float64(answered.Load()) / time.Since(began).Seconds()), nil
}
