package store

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secretservice"
	"github.com/authctl/authctl/internal/secretservicetest"
	"github.com/authctl/authctl/internal/tokenkey"
)

func benchRecord() *Record {
	return &Record{
		Key: tokenkey.Key{Provider: "talkdesk", TokenURL: "https://acme.talkdeskid.eu/oauth/token", ClientID: "a"},
		Token: oauth.Token{
			AccessToken: secret.New("fake-access-token"), RequestedAt: time.UnixMilli(1772600767008), Lifetime: 10 * time.Minute,
		},
	}
}

// BenchmarkKeyring measures the two calls on a real Secret Service, over one
// connection. A process's first call also pays for connecting.
func BenchmarkKeyring(b *testing.B) {
	s := secretservicetest.Start(b)
	b.Setenv(secretservice.AddressEnv, s.Address())
	k := &Keyring{StateDir: filepath.Join(s.Home(), "state")}
	r := benchRecord()
	b.Run("put", func(b *testing.B) {
		for b.Loop() {
			if err := k.Put(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			if _, err := k.Get(b.Context(), r.Key); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	r := benchRecord()
	plain, err := EncodeRecord(r)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			if _, err := EncodeRecord(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := decodeRecord(plain, r.Key.Digest()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLock measures a free lock, and one that goes through the hands of 50
// who wait.
func BenchmarkLock(b *testing.B) {
	locks := FileLocks{Dir: filepath.Join(b.TempDir(), "run")}
	take := func() {
		l, err := locks.Lock(b.Context(), tokenkey.Key{})
		if err != nil {
			b.Error(err)
			return
		}
		if err := l.Unlock(); err != nil {
			b.Error(err)
		}
	}
	b.Run("free", func(b *testing.B) {
		for b.Loop() {
			take()
		}
	})
	b.Run("50 waiting", func(b *testing.B) {
		for b.Loop() {
			var group sync.WaitGroup
			for range 50 {
				group.Go(take)
			}
			group.Wait()
		}
	})
}

// BenchmarkFile measures the sealed files.
func BenchmarkFile(b *testing.B) {
	s := &File{Dir: filepath.Join(b.TempDir(), "store"), Key: fileKey(b)}
	r := benchRecord()
	b.Run("put", func(b *testing.B) {
		for b.Loop() {
			if err := s.Put(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Get(b.Context(), r.Key); err != nil {
				b.Fatal(err)
			}
		}
	})
}
