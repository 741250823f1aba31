package shared

import (
	"errors"
	"sync"
	"time"
)

// budget is the time that an engine may take from this process: all of it once, and again as it comes back, a second
// in a minute. What is answered within a twentieth of it takes nothing, else a process that lives for days and asks
// for every request of its own would use it up with an engine that is quick.
type budget struct {
	all   time.Duration
	clock func() time.Time

	mu    sync.Mutex
	spent time.Duration
	at    time.Time
	// lifted says that nothing is counted any more.
	lifted bool
}

// quick is the time that takes nothing.
func (b *budget) quick() time.Duration { return b.all / 20 }

// lift ends the counting: in this process somebody looks, and no token waits for the engine. Each command is still
// bounded.
func (b *budget) lift() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent, b.lifted = 0, true
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
	if d > b.quick() && !b.lifted {
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
