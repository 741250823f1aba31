package broker_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
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

func TestARefreshIsPacedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{grant: "client_credentials", clock: &clock{t: time.Now()}}
		s.onIssue = func(int) (oauth.Token, error) {
			token := s.newToken("issued", time.Hour)
			token.RefreshToken = secret.New("rt")
			return token, nil
		}
		var refreshed time.Time
		s.onFresh = func(int, string) (oauth.Token, error) {
			refreshed = time.Now()
			return s.newToken("refreshed", time.Hour), nil
		}
		b := &broker.Broker{Store: &store.Memory{}}
		began := time.Now()
		for range 2 {
			r := broker.Request{Provider: pacedService{s}, ForceRefresh: true}
			if _, err := b.Token(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Millisecond) // so that the second call began after the first token
		}
		if after := refreshed.Sub(began); after != time.Second {
			t.Errorf("refreshed %s after the first request, want 1s", after)
		}
	})
}

// slowService asks a second time when it is refused, as a client does after 429.
type slowService struct{ pacedService }

func (s slowService) Issue(ctx context.Context) (oauth.Token, error) {
	<-time.After(1500 * time.Millisecond)
	return s.service.Issue(ctx)
}

func TestTheSecondTryOfARequestCountsForThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{grant: "client_credentials", clock: &clock{t: time.Now()}}
		b := &broker.Broker{Store: &store.Memory{}}
		began := time.Now()
		ask := func(p broker.Provider) {
			if _, err := b.Token(t.Context(), broker.Request{Provider: p, NoCache: true}); err != nil {
				t.Error(err)
			}
		}
		var first sync.WaitGroup
		first.Go(func() { ask(slowService{pacedService{s}}) })
		defer first.Wait()
		synctest.Wait()
		ask(pacedService{s})
		if took := time.Since(began); took != 2500*time.Millisecond {
			t.Errorf("the next request was answered after %s, want 2.5s", took)
		}
	})
}
