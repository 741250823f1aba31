package run

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/process"
)

// tokenFile is a token in a private directory, for one child.
type tokenFile struct{ dir string }

// newTokenFile makes the directory: in $XDG_RUNTIME_DIR, which is in memory and the
// user's own, else where temporary files go.
func newTokenFile(lookupEnv func(string) (string, bool)) (*tokenFile, error) {
	temp := files.Environ(lookupEnv).TempDir()
	base := cmp.Or(files.Environ(lookupEnv).RuntimeDir(), temp)
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

// withTokenFile runs a child with the token in a file, and keeps that fresh.
func (r *run) withTokenFile(ctx context.Context, c *client.Client, answer broker.Answer, child *exec.Cmd) error {
	// From here on a signal is the child's, and this process stays to tidy up.
	ctx = r.Watched(ctx)
	file, err := newTokenFile(r.LookupEnv)
	if err != nil {
		return err
	}
	defer file.remove()
	if err := file.write(formats.New(c, answer, r.Now()).AccessToken); err != nil {
		return err
	}
	child.Env = append(child.Env, r.variable+"_FILE="+file.path())
	r.HasChild.Store(true)
	return process.Run(ctx, child, func() (after func(<-chan os.Signal) error) {
		// The signal that the child was told must not end the renewal: it may live on.
		renewing, cancel := context.WithCancel(context.WithoutCancel(ctx))
		c.Unwatched()
		var done sync.WaitGroup
		done.Go(func() { (&renewal{Deps: r.Deps, client: c, file: file, wait: r.until}).keepFresh(renewing, answer) })
		return func(<-chan os.Signal) error {
			cancel()
			done.Wait()
			// Before signals end this process again.
			file.remove()
			return nil
		}
	})
}

// until waits for a time by the clock on the wall.
func (r *run) until(ctx context.Context, due time.Time) error {
	left := func() time.Duration { return due.Round(0).Sub(r.Now().Round(0)) }
	// In steps: a machine that was asleep has a clock that went on, and timers that did not.
	for left() > 0 {
		if err := moment.Sleep(ctx, min(left(), client.MostWait)); err != nil {
			return err
		}
	}
	return ctx.Err()
}
