package shared

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// connections are the most that one process has, those that listen apart.
	connections = 16
	// buffer is the size of a connection's buffers in bytes, each way: a value has 1 to 3 KiB.
	buffer = 4 << 10
	// redirects are how often a cluster may send a command on to another node.
	redirects = 2
)

// command is something that the engine does.
type command = func(context.Context, redis.UniversalClient) error

// asker is ask or meanwhile.
type asker func(ctx context.Context, doing string, do command) error

// ask has the engine do something, within what is left of the budget. An engine that fails is dead for this process:
// the first failure is every later answer, at once. What the caller ends himself is no failure of the engine.
// Errors are an *store.UnusableError.
func (s *Store) ask(ctx context.Context, doing string, do command) error {
	return s.meanwhile(ctx, doing, func(ctx context.Context, c redis.UniversalClient) error {
		began := s.budget.clock()
		defer func() { s.budget.took(s.budget.clock().Sub(began)) }()
		return do(ctx, c)
	})
}

// meanwhile is ask for what nobody waits for, or who waits anyway: how long it takes is not counted.
func (s *Store) meanwhile(ctx context.Context, doing string, do command) error {
	if dead := s.dead.Load(); dead != nil {
		return dead
	}
	client, err := s.connect(ctx)
	if err != nil {
		return unconfigured(doing, err)
	}
	left := s.budget.left()
	bounded, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	if err = errSlow; left > 0 {
		err = do(bounded, client)
	}
	if err == nil {
		return nil
	}
	if why := ended(ctx); why != nil {
		return &store.UnusableError{Store: Name, Problem: store.Locked, Doing: doing, Err: why}
	}
	return s.die(doing, err)
}

// ended is why a context has ended, nil when it has not. A connection has the same deadline, and may notice first.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return context.Cause(ctx)
}

// die ends the use of the engine. Of several failures at once the first counts.
func (s *Store) die(doing string, err error) *store.UnusableError {
	failure := judge(err, s.options.Address)
	failure.Store, failure.Doing = Name, doing
	if s.dead.CompareAndSwap(nil, failure) {
		s.options.Explain("store: " + failure.Error() + "; the engine is not asked again")
		go func() { _ = s.Close() }()
	}
	return s.dead.Load()
}

// unconfigured completes an error of what is needed before the engine can be asked.
func unconfigured(doing string, err error) error {
	e := store.UnusableError{Problem: store.Unconfigured, Err: err}
	if known, ok := errors.AsType[*store.UnusableError](err); ok {
		e = *known
	}
	e.Store, e.Doing = Name, doing
	return &e
}

// open fetches the store key, once.
func (s *Store) open(ctx context.Context) (*vault, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.vault != nil {
		return s.vault, nil
	}
	id, err := store.FetchIdentity(ctx, s.options.Key, s.options.KeyFrom)
	if err == nil {
		s.vault, err = newVault(id)
	}
	return s.vault, err
}

// connect makes the client, once; it connects with the first command.
func (s *Store) connect(ctx context.Context) (redis.UniversalClient, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	password, err := fetch(ctx, s.options.Password, "store_password")
	if err != nil {
		return nil, err
	}
	sentinels, err := fetch(ctx, s.options.SentinelPassword, "store_sentinel_password")
	if err != nil {
		return nil, err
	}
	secure, err := s.options.secure(ctx)
	if err != nil {
		return nil, err
	}
	// It would write to stderr, and what it meets may be anything.
	logging.Disable()
	s.client = dial(s.options.Address, password, sentinels, secure)
	return s.client, nil
}

// fetch fetches a password. name is the setting that has its reference.
func fetch(ctx context.Context, password secret.Func, name string) (secret.Secret, error) {
	if password == nil {
		return secret.Secret{}, nil
	}
	s, err := password(ctx)
	if err != nil {
		hint := "see that " + name + " can be fetched here"
		return s, &store.UnusableError{Problem: store.Unconfigured, Err: err, Hint: hint}
	}
	return s, nil
}

// secure is the configuration of TLS, nil without it.
func (o Options) secure(ctx context.Context) (*tls.Config, error) {
	if !o.Address.TLS {
		return nil, nil //nolint:nilnil // no TLS is an answer, and go-redis' word for it
	}
	if o.TLS == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	return o.TLS(ctx)
}

// dial makes the client that the address asks for. Nothing is sent twice: who waits for an engine that does not
// answer would wait twice as long, and a lease that was taken would be found taken.
func dial(a address.Address, password, sentinels secret.Secret, secure *tls.Config) redis.UniversalClient {
	text := password.Reveal()
	if a.User != "" && text == "" {
		// go-redis logs in as nobody without a password; a user who needs none is let in with any.
		text = "none"
	}
	single := &redis.Options{
		Addr: a.Hosts[0], Username: a.User, Password: text, DB: a.DB, Dialer: dialer(secure, a.Connect),
		DialTimeout: a.Connect, ReadTimeout: a.Timeout, WriteTimeout: a.Timeout, PoolTimeout: a.Timeout,
		ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true,
		PoolSize: connections, PipelinePoolSize: -1, ReadBufferSize: buffer, WriteBufferSize: buffer,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	switch {
	case a.Master != "":
		return redis.NewFailoverClient(failover(single, a.Master, a.Hosts, sentinels))
	case a.Cluster:
		return redis.NewClusterClient(cluster(single, a.Hosts))
	}
	return redis.NewClient(single)
}

// dialer connects, with TLS where that is configured, and says so where that fails: go-redis tells a host that
// does not answer from an engine that does not only by how long it took.
func dialer(
	secure *tls.Config, within time.Duration,
) func(ctx context.Context, network, host string) (net.Conn, error) {
	return func(ctx context.Context, network, host string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		dial := (&net.Dialer{}).DialContext
		if secure != nil {
			dial = (&tls.Dialer{Config: secure}).DialContext
		}
		connection, err := dial(ctx, network, host)
		if err != nil {
			return nil, &unconnectedError{err}
		}
		return connection, nil
	}
}

// unconnectedError says that no connection came about.
type unconnectedError struct{ err error }

func (e *unconnectedError) Error() string { return e.err.Error() }

func (e *unconnectedError) Unwrap() error { return e.err }

// failover are the options of a client that asks sentinels where the engine is.
func failover(o *redis.Options, master string, hosts []string, password secret.Secret) *redis.FailoverOptions {
	return &redis.FailoverOptions{
		MasterName: master, SentinelAddrs: hosts, SentinelPassword: password.Reveal(),
		Username: o.Username, Password: o.Password, DB: o.DB, Dialer: o.Dialer,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout, PoolTimeout: o.PoolTimeout,
		ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true,
		PoolSize: o.PoolSize, PipelinePoolSize: -1, ReadBufferSize: o.ReadBufferSize, WriteBufferSize: o.WriteBufferSize,
	}
}

// cluster are the options of a client of several nodes.
func cluster(o *redis.Options, hosts []string) *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs: hosts, Username: o.Username, Password: o.Password, Dialer: o.Dialer,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout, PoolTimeout: o.PoolTimeout,
		ContextTimeoutEnabled: true, MaxRetries: -1, MaxRedirects: redirects, DialerRetries: 1, DisableIdentity: true,
		PoolSize: o.PoolSize, PipelinePoolSize: -1, ReadBufferSize: o.ReadBufferSize, WriteBufferSize: o.WriteBufferSize,
		MaintNotificationsConfig: o.MaintNotificationsConfig,
	}
}

// budget is the time that an engine may take from this process: all of it once, and again as it comes back, a second
// in a minute. What is answered within a twentieth of it takes nothing, else a process that lives for days and asks
// for every request of its own would use it up with an engine that is quick.
type budget struct {
	all   time.Duration
	clock func() time.Time

	mu    sync.Mutex
	spent time.Duration
	at    time.Time
}

// left is how long the next command may take; zero or less when the engine has taken too long already.
func (b *budget) left() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recover()
	return b.all - b.spent
}

// took notes how long a command took.
func (b *budget) took(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recover()
	if d > b.all/20 {
		b.spent += d
	}
}

func (b *budget) recover() {
	now := b.clock()
	if !b.at.IsZero() {
		b.spent = max(0, b.spent-now.Sub(b.at)/60)
	}
	b.at = now
}

var errSlow = errors.New("it has taken too long")
