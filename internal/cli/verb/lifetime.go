package verb

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/authctl/authctl/internal/process"
)

// Lifetime is how long a run of the program lasts, and what ends it before its command does.
type Lifetime struct {
	// HasChild says that signals are a child's, at whose end this process ends.
	HasChild atomic.Bool
	// BeforeEnd is called when the process is about to be ended after a signal.
	BeforeEnd func()

	signals  func(context.Context) context.Context
	endBy    func(i process.Interrupted, typed bool)
	terminal bool
	// ctx is what the command runs under, to tell afterwards why it ended.
	ctx      context.Context //nolint:containedctx // one run of the program is one context
	watching bool
}

// Context is what the command runs under.
func (l *Lifetime) Context() context.Context { return l.ctx }

// Watched returns the context of a command that signals are to end in order.
func (l *Lifetime) Watched(ctx context.Context) context.Context {
	switch {
	case l.signals == nil:
		return ctx
	case !l.watching:
		l.ctx, l.watching = l.signals(ctx), true
		context.AfterFunc(l.ctx, l.endSoon)
	}
	return l.ctx
}

// endSoon ends the process a second after a signal when nothing else does: what is
// waited for may be a file system or a library that nobody can interrupt.
func (l *Lifetime) endSoon() {
	if interrupted, ok := errors.AsType[process.Interrupted](context.Cause(l.ctx)); ok && l.endBy != nil {
		time.AfterFunc(process.Grace, func() { l.endNow(interrupted) })
	}
}

func (l *Lifetime) endNow(i process.Interrupted) {
	if l.HasChild.Load() {
		return
	}
	if l.BeforeEnd != nil {
		l.BeforeEnd()
	}
	l.endBy(i, l.terminal)
}
