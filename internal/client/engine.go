package client

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"

	"github.com/authctl/authctl/internal/certificate"
	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/authctl/authctl/internal/store/shared"
)

// engines are the shared stores of a process, by their addresses: one each, however many clients
// use it, because one that is found dead is not asked again.
type engines struct {
	turn   sync.Mutex
	opened map[string]*shared.Store
}

// close ends the connections, where there are any.
func (e *engines) close() {
	e.turn.Lock()
	defer e.turn.Unlock()
	for _, s := range e.opened {
		// Whatever it did is answered by now.
		_ = s.Close()
	}
	e.opened = nil
}

// engine opens the shared store of an address.
type engine struct {
	*Local
	options Options
}

// open returns the store, which is the same for the same address. It asks nothing and fetches nothing.
func (e engine) open(text string) (*shared.Store, error) {
	e.engines.turn.Lock()
	defer e.engines.turn.Unlock()
	if s, ok := e.engines.opened[text]; ok {
		return s, nil
	}
	at, err := address.Parse(text)
	if err != nil {
		return nil, err
	}
	o := shared.Options{
		Address: at, TLS: e.tls, Unopened: e.tellOfUnopened, Explain: e.tell, Now: e.Now,
	}
	key, err := e.StoreSecret(stores.Key)
	if err != nil {
		return nil, err
	}
	o.Key, o.KeyFrom = key.Fetch, key.From
	if o.Password, err = e.fetch(stores.Password); err != nil {
		return nil, err
	}
	if o.SentinelPassword, err = e.fetch(stores.SentinelPassword); err != nil {
		return nil, err
	}
	if e.engines.opened == nil {
		e.engines.opened = map[string]*shared.Store{}
	}
	e.engines.opened[text] = shared.New(o)
	return e.engines.opened[text], nil
}

// fetch returns what fetches a secret of the store, nil when nothing gives one.
func (e engine) fetch(key string) (secret.Func, error) {
	s, err := e.StoreSecret(key)
	return s.Fetch, err
}

// tls says whom to trust, as for a service, and who this machine is.
func (e engine) tls(ctx context.Context) (*tls.Config, error) {
	roots, err := e.certificates(ctx, e.options)
	if err != nil {
		return nil, err
	}
	config := (&Transport{roots: roots}).config()
	own, err := e.certificate(ctx)
	if own != nil {
		config.Certificates = []tls.Certificate{*own}
	}
	return config, err
}

// certificate fetches what this machine shows the engine, nil where the configuration has nothing
// of the kind.
func (e engine) certificate(ctx context.Context) (*tls.Certificate, error) {
	var from certificate.Source
	given := map[certificate.Part]stores.Secret{}
	for part, to := range map[certificate.Part]*secret.Secret{
		certificate.Certificate: &from.Certificate, certificate.Key: &from.Key, certificate.Password: &from.Password,
	} {
		s, err := e.StoreSecret(stores.TLS + string(part))
		if err == nil && s.Fetch != nil {
			given[part] = s
			*to, err = s.Fetch(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(given) == 0 {
		return nil, nil
	}
	own, err := from.Read()
	if e, ok := errors.AsType[*certificate.Error](err); ok {
		return nil, given[e.Part].Wrong(stores.TLS+string(e.Part), e.Problem, e.Hint)
	}
	return own, err
}
