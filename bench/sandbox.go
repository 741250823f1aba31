//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// tokenRequests returns how often the talkdesk token endpoint was asked.
func (b *testbed) tokenRequests(ctx context.Context) (int, error) {
	var log struct {
		Requests []struct {
			Service string `json:"service"`
		} `json:"requests"`
	}
	if err := b.control(ctx, http.MethodGet, "requests", "", &log); err != nil {
		return 0, err
	}
	n := 0
	for _, request := range log.Requests {
		if request.Service == profileName {
			n++
		}
	}
	return n, nil
}

// fault makes the sandbox misbehave in one way from now on.
func (b *testbed) fault(ctx context.Context, fault string) error {
	if err := b.noFaults(ctx); err != nil {
		return err
	}
	return b.control(ctx, http.MethodPost, "faults", fault, nil)
}

func (b *testbed) noFaults(ctx context.Context) error {
	return b.control(ctx, http.MethodDelete, "faults", "", nil)
}

// control asks the sandbox itself; into may be nil.
func (b *testbed) control(ctx context.Context, method, page, body string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, b.url+"/_sandbox/"+page, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the sandbox answered %s %s with status %d", method, page, resp.StatusCode)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
