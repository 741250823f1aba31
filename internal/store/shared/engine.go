package shared

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/authctl/authctl/internal/moment"
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
// the first failure is every later answer, at once, until it is looked for again. Errors are an *store.UnusableError,
// or an *endedError where the caller has ended it: that is no failure of the engine.
func (s *Store) ask(ctx context.Context, doing string, do command) error {
	return s.within(ctx, doing, s.budget.left(), func(ctx context.Context, c redis.UniversalClient) error {
		began := s.budget.clock()
		defer func() { s.budget.took(s.budget.clock().Sub(began)) }()
		return do(ctx, c)
	})
}

// meanwhile is ask for what nobody waits for, or who waits anyway: how long it takes is not counted, and it is sent
// also when the budget is used up.
func (s *Store) meanwhile(ctx context.Context, doing string, do command) error {
	return s.within(ctx, doing, max(s.budget.left(), s.budget.quick()), do)
}

// within has the engine do something in a time. Where the caller has less, and the engine uses that up, the engine is
// slow: what it has had is more than what counts as quick.
func (s *Store) within(ctx context.Context, doing string, left time.Duration, do command) error {
	if why := ended(ctx); why != nil {
		return &endedError{doing, why}
	}
	if failure := s.down(); failure != nil {
		return failure
	}
	client, err := s.connect(ctx)
	if err != nil {
		return unconfigured(doing, err)
	}
	bounded, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	began := time.Now()
	if err = errSlow; left > 0 {
		err = do(bounded, client)
	}
	if err == nil {
		return nil
	}
	if why := ended(ctx); why != nil && (isInterrupted(ctx) || time.Since(began) <= s.budget.quick()) {
		return &endedError{doing, why}
	}
	return s.die(doing, err)
}

// ended is why a context has ended, nil when it has not. A connection has the same deadline, and may notice first.
func ended(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) && !isInterrupted(ctx) {
		return context.DeadlineExceeded
	}
	return context.Cause(ctx)
}

// isInterrupted reports whether a context was ended by somebody's will, and not by its deadline.
func isInterrupted(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// endedError says that the caller's context has ended before the engine has answered. It wraps why.
type endedError struct {
	doing string
	why   error
}

func (e *endedError) Error() string { return e.doing + " in the " + Name + " store: " + e.why.Error() }

func (e *endedError) Unwrap() error { return e.why }

// death is that the engine is not asked.
type death struct {
	failure *store.UnusableError
	// again is when it is asked again, zero for never.
	again time.Time
}

// die ends the use of the engine for a while. Of several failures at once the first counts.
func (s *Store) die(doing string, err error) *store.UnusableError {
	failure := judge(err, s.options)
	failure.Store, failure.Doing = Name, doing
	if s.dead.CompareAndSwap(nil, &death{failure, s.budget.clock().Add(s.pace.again)}) {
		s.options.Explain(failure.Error() + "; the engine is not asked again for " + moment.Lasting(s.pace.again))
		go func() { _ = s.disconnect() }()
		return failure
	}
	if first := s.dead.Load(); first != nil {
		return first.failure
	}
	return failure
}

// down is why the engine is not asked, nil when it is. A process that lives for days, such as a keeper, looks for it
// again after a while: one command, which meets a dead one as the first did.
func (s *Store) down() *store.UnusableError {
	d := s.dead.Load()
	if d == nil {
		return nil
	}
	if d.again.IsZero() || s.budget.clock().Before(d.again) {
		return d.failure
	}
	s.dead.CompareAndSwap(d, nil)
	return nil
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

// connect makes the client, unless there is one; it connects with the first command.
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
	s.client = dial(s.options.Address, password, sentinels, secure, s.pace.idle)
	return s.client, nil
}

// disconnect ends the connections.
func (s *Store) disconnect() error {
	s.mu.Lock()
	client := s.client
	s.client = nil
	s.mu.Unlock()
	if client == nil {
		return nil
	}
	return client.Close()
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
// A connection that has been idle is not used again: what is on the way may have dropped it without a word.
func dial(
	a address.Address, password, sentinels secret.Secret, secure *tls.Config, idle time.Duration,
) redis.UniversalClient {
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
		ConnMaxIdleTime:          idle,
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
		ConnMaxIdleTime: o.ConnMaxIdleTime,
	}
}

// cluster are the options of a client of several nodes. Which node a command goes to is told by its key: with
// go-redis' routing policies each node would first be asked what commands there are.
func cluster(o *redis.Options, hosts []string) *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs: hosts, Username: o.Username, Password: o.Password, Dialer: o.Dialer,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout, PoolTimeout: o.PoolTimeout,
		ContextTimeoutEnabled: true, MaxRetries: -1, MaxRedirects: redirects, DialerRetries: 1, DisableIdentity: true,
		PoolSize: o.PoolSize, PipelinePoolSize: -1, ReadBufferSize: o.ReadBufferSize, WriteBufferSize: o.WriteBufferSize,
		ConnMaxIdleTime:          o.ConnMaxIdleTime,
		MaintNotificationsConfig: o.MaintNotificationsConfig, DisableRoutingPolicies: true,
	}
}
