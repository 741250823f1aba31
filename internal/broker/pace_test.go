package broker_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/store"
)

// pacedService takes one token request a second.
type pacedService struct{ *service }

func (pacedService) Pace() time.Duration { return time.Second }

func TestRequestsOfOneAccountArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{grant: "client_credentials", clock: &clock{t: time.Now()}}
		b := &broker.Broker{Store: &store.Memory{}}
		began := time.Now()
		for range 3 {
			r := broker.Request{Provider: pacedService{s}, NoCache: true}
			if _, err := b.Token(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("three requests took %s, want 2s", took)
		}
		r := broker.Request{Provider: pacedService{s}, NoCache: true, Timeout: 10 * time.Millisecond}
		if _, err := b.Token(t.Context(), r); err == nil || !strings.Contains(err.Error(), "no time to wait") {
			t.Errorf("a request without the time to wait: %v", err)
		}
	})
}

// TestPaceCountsFromTheAnswer has a request that is sent some time after its turn.
func TestPaceCountsFromTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{grant: "client_credentials", clock: &clock{t: time.Now()}}
		sent := []time.Duration{}
		began := time.Now()
		s.onIssue = func(int) (oauth.Token, error) {
			<-time.After(1500 * time.Millisecond)
			sent = append(sent, time.Since(began))
			return s.newToken("t", time.Minute), nil
		}
		b := &broker.Broker{Store: &store.Memory{}}
		for range 2 {
			r := broker.Request{Provider: pacedService{s}, NoCache: true}
			if _, err := b.Token(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if between := sent[1] - sent[0]; between < 2500*time.Millisecond {
			t.Errorf("the requests came %s apart, want 1s and the 1.5s that each takes", between)
		}
	})
}
