package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/providers"
)

const (
	// leastWait and mostWait bound the time after which a token is asked for again.
	leastWait = time.Second
	mostWait  = 30 * time.Second
)

// tokenFile is a token in a private directory, for one child.
type tokenFile struct{ dir string }

// newTokenFile makes the directory: in $XDG_RUNTIME_DIR, which is in memory and the
// user's own, else where temporary files go.
func (a *app) newTokenFile() (*tokenFile, error) {
	temp := files.TempDir(a.LookupEnv)
	base := cmp.Or(files.Environ(a.LookupEnv).RuntimeDir(), temp)
	dir, err := os.MkdirTemp(base, "authctl-token-")
	if err != nil && base != temp {
		dir, err = os.MkdirTemp(temp, "authctl-token-")
	}
	if err != nil {
		return nil, fmt.Errorf("making a directory for the token file: %w", err)
	}
	return &tokenFile{dir}, nil
}

func (f *tokenFile) path() string { return filepath.Join(f.dir, "token") }

// write replaces the file at once: a reader sees the old token or the new one.
func (f *tokenFile) write(token string) error {
	next := f.path() + ".next"
	if err := os.WriteFile(next, []byte(token), 0o600); err != nil {
		return fmt.Errorf("writing the token file: %w", err)
	}
	err := os.Rename(next, f.path())
	// Windows replaces no file while somebody reads it.
	for tries := 0; err != nil && runtime.GOOS == "windows" && tries < 50; tries++ {
		_ = moment.Sleep(context.Background(), 20*time.Millisecond)
		err = os.Rename(next, f.path())
	}
	if err != nil {
		return fmt.Errorf("writing the token file: %w", err)
	}
	return nil
}

func (f *tokenFile) remove() { _ = os.RemoveAll(f.dir) }

// runWithTokenFile runs a child with the token in a file, and keeps that fresh.
func (a *app) runWithTokenFile(
	ctx context.Context, s *client.Client, answer broker.Answer, child *exec.Cmd, variable string,
) error {
	// From here on a signal is the child's, and this process stays to tidy up.
	ctx = a.Watched(ctx)
	file, err := a.newTokenFile()
	if err != nil {
		return err
	}
	defer file.remove()
	if err := file.write(formats.New(s, answer, a.Now()).AccessToken); err != nil {
		return err
	}
	child.Env = append(child.Env, variable+"="+file.path())
	a.HasChild.Store(true)
	return process.Run(ctx, child, func() (after func(<-chan os.Signal) error) {
		// The signal that the child was told must not end the renewal: it may live on.
		renewing, cancel := context.WithCancel(context.WithoutCancel(ctx))
		s.Unwatched()
		var done sync.WaitGroup
		done.Go(func() { (&renewal{app: a, session: s, file: file, wait: a.wait}).keepFresh(renewing, answer) })
		return func(<-chan os.Signal) error {
			cancel()
			done.Wait()
			// Before signals end this process again.
			file.remove()
			return nil
		}
	})
}

// renewal is what keeps a token file fresh.
type renewal struct {
	*app
	session *client.Client
	file    *tokenFile
	// failures are those since the last token.
	failures int
	// wait returns when a time has come, or with an error when ctx has ended before.
	wait func(ctx context.Context, due time.Time) error
}

// keepFresh replaces the token before it expires, until ctx ends or the service refuses.
// A token whose end nobody knows stays.
func (r *renewal) keepFresh(ctx context.Context, answer broker.Answer) {
	for answer.Token.Lifetime > 0 {
		due := r.session.FreshUntil(answer.Token)
		if now := r.Now(); !due.After(now) {
			// Not even a new one lives as long as is asked for.
			due = now.Add(between(leastWait, answer.Token.Expiry().Sub(now)/2, mostWait))
		}
		next, err := r.next(ctx, due)
		for err != nil && ctx.Err() == nil {
			if refused(err) {
				r.UI.Warn(fmt.Sprintf("the token file is not renewed any more: %v", err))
				return
			}
			due = r.retryAt(err, r.Now())
			r.UI.Warn(fmt.Sprintf("the token file is not renewed, next try at %s: %v", moment.Text(due), err))
			next, err = r.next(ctx, due)
		}
		if ctx.Err() != nil {
			return
		}
		answer, r.failures = next, 0
	}
}

// next waits until a token is due and puts the next one into the file.
func (r *renewal) next(ctx context.Context, due time.Time) (broker.Answer, error) {
	if err := r.wait(ctx, due); err != nil {
		return broker.Answer{}, err
	}
	answer, err := r.session.Token(ctx)
	if err != nil {
		return broker.Answer{}, err
	}
	r.TellOfScopes(r.session, answer)
	token := formats.New(r.session, answer, r.Now())
	formats.Hide(r.Deps, token)
	return answer, r.file.write(token.AccessToken)
}

// refused reports whether asking again would only send the same to be refused again: a
// service may lock the client out for it.
func refused(err error) bool {
	failure, ok := errors.AsType[*providers.Failure](err)
	return ok && slices.Contains([]providers.Reason{
		providers.ReasonCredentials, providers.ReasonLogin, providers.ReasonScope, providers.ReasonConfig,
	}, failure.Reason)
}

// retryAt is when to ask again after a failure: later each time, within bounds, and
// never earlier than the service says.
func (r *renewal) retryAt(err error, now time.Time) time.Time {
	at := now.Add(min(leastWait<<min(r.failures, 5), mostWait))
	r.failures++
	if failure, ok := errors.AsType[*providers.Failure](err); ok && failure.NotBefore.After(at) {
		return failure.NotBefore
	}
	return at
}

// wait waits for a time.
func (a *app) wait(ctx context.Context, due time.Time) error {
	// In steps: a machine that was asleep has a clock that went on, and timers that did not.
	for left := a.until(due); left > 0; left = a.until(due) {
		if err := moment.Sleep(ctx, min(left, mostWait)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// until is the time left by the clock on the wall.
func (a *app) until(due time.Time) time.Duration { return due.Round(0).Sub(a.Now().Round(0)) }

func between(least, d, most time.Duration) time.Duration { return min(max(d, least), most) }
