package openid

import (
	"context"
	"encoding/json"
	"net/url"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
)

const (
	// life is how long a document is believed without asking again.
	life = time.Hour
	// pageVersion is what a kept document begins with; another one counts as none.
	pageVersion = 1
	// maxPage is the most that is kept of one document, in bytes.
	maxPage = 1 << 20
)

// Issuer is one issuer, and what it has said so far. Only Client is needed where Keys alone is
// asked for.
type Issuer struct {
	// Name is the issuer identifier, exactly as its document has it.
	Name string
	// Client asks.
	Client *oauth.Client
	// OpenIDOnly leaves out the address of RFC 8414.
	OpenIDOnly bool
	// Cache keeps documents between processes; nil means nothing does.
	Cache Cache
	// Since has a discovery document that was had before it be asked for anew.
	Since time.Time
	// Explain is told where each document is from; nil means nobody is.
	Explain func(format string, args ...any)

	mu sync.Mutex
	// pages are what was had, by name.
	pages map[string]page
}

// Cache keeps texts by name between processes, each bounded by 1 MiB. What it returns is checked
// as if it came from the issuer; but who can write it can name another host, so that it must be
// this user's alone.
type Cache interface {
	// Get returns what is kept under a name, nil when nothing is.
	Get(ctx context.Context, name string) ([]byte, error)
	Put(ctx context.Context, name string, text []byte) error
	// Lock waits for the right to ask for what is kept under a name.
	Lock(ctx context.Context, name string) (unlock func(), err error)
}

// page is a document as it is kept: whose it is, where it is from and when it was had.
type page struct {
	Version  int             `json:"version"`
	Name     string          `json:"name"`
	From     string          `json:"from"`
	At       time.Time       `json:"at"`
	Document json.RawMessage `json:"document"`
}

func (i *Issuer) page(name string, from *url.URL, document []byte) page {
	return page{Version: pageVersion, Name: name, From: network.AddressText(from), At: i.now(), Document: document}
}

// documentName is what the discovery document is kept under.
func (i *Issuer) documentName() string { return "document of " + i.Name }

// Metadata returns what the issuer says of itself: from the cache where that is not older than an
// hour, else of Discover, whose errors it has. Of many processes one asks.
func (i *Issuer) Metadata(ctx context.Context) (metadata *Metadata, err error) {
	err = i.have(ctx, wanted{
		name: i.documentName(),
		fits: func(p page, age time.Duration) bool {
			var problem string
			metadata, problem = i.read(p)
			return problem == "" && age < life && !p.At.Before(i.Since)
		},
		ask: func(ctx context.Context) (got page, err error) {
			got, metadata, err = i.discover(ctx)
			return got, err
		},
	})
	if err != nil {
		return nil, err
	}
	return metadata, nil
}

// Forget has the next Metadata ask anew, in every process: what was said leads nowhere any more.
func (i *Issuer) Forget(ctx context.Context) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.pages, i.documentName())
	if i.Cache == nil {
		return
	}
	if err := i.Cache.Put(ctx, i.documentName(), nil); err != nil {
		i.explain("issuer: %s: not forgotten: %v", i.documentName(), err)
	}
}

// wanted is a document that is looked for: by name, whether one that is at hand will do, and how
// it is asked for.
type wanted struct {
	name string
	fits func(p page, age time.Duration) bool
	ask  func(context.Context) (page, error)
}

// have looks for a document here and in the cache, and asks for it under the lock of its name.
func (i *Issuer) have(ctx context.Context, w wanted) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.look(ctx, w) {
		return nil
	}
	unlock, err := i.lock(ctx, w.name)
	if err != nil {
		return err
	}
	defer unlock()
	if i.look(ctx, w) {
		return nil
	}
	i.explain("issuer: %s: asked for", w.name)
	got, err := w.ask(ctx)
	if err == nil {
		i.keep(ctx, got)
	}
	return err
}

// look reports whether what is at hand will do.
func (i *Issuer) look(ctx context.Context, w wanted) bool {
	if p, ok := i.pages[w.name]; ok && w.fits(p, i.now().Sub(p.At)) {
		return true
	}
	if i.Cache == nil {
		return false
	}
	text, err := i.Cache.Get(ctx, w.name)
	if err != nil {
		i.explain("issuer: %s: not read from the cache: %v", w.name, err)
		return false
	}
	var p page
	if json.Unmarshal(text, &p) != nil || p.Version != pageVersion || p.Name != w.name {
		return false
	}
	age := i.now().Sub(p.At)
	if age < 0 || !w.fits(p, age) { // the clock was set back
		return false
	}
	i.explain("issuer: %s: from the cache, %s old", w.name, moment.Lasting(age))
	i.remember(p)
	return true
}

// keep remembers a document, and has the cache keep it. A cache that cannot be written costs a
// request of the next process.
func (i *Issuer) keep(ctx context.Context, p page) {
	i.remember(p)
	text, err := json.Marshal(p)
	if i.Cache == nil || err != nil || len(text) > maxPage {
		return
	}
	if err := i.Cache.Put(ctx, p.Name, text); err != nil {
		i.explain("issuer: %s: not kept: %v", p.Name, err)
	}
}

func (i *Issuer) remember(p page) {
	if i.pages == nil {
		i.pages = map[string]page{}
	}
	i.pages[p.Name] = p
}

// lock takes the cache's lock of a name. A dry run asks nobody, and needs none.
func (i *Issuer) lock(ctx context.Context, name string) (unlock func(), err error) {
	if i.Cache == nil || i.Client.DryRun != nil {
		return func() {}, nil
	}
	return i.Cache.Lock(ctx, name)
}

func (i *Issuer) explain(format string, args ...any) {
	if i.Explain != nil {
		i.Explain(format, args...)
	}
}

func (i *Issuer) now() time.Time {
	if i.Client.Now != nil {
		return i.Client.Now()
	}
	return time.Now()
}
