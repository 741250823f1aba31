package term

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// spinnerPace is how long each picture of a spinner stays.
const spinnerPace = 100 * time.Millisecond

// Spin shows on a terminal that something is being waited for, until stop is called,
// which leaves nothing behind. On what is no terminal it says text once.
func Spin(w io.Writer, terminal bool, text string) (stop func()) {
	if !terminal {
		_, _ = fmt.Fprintln(w, text)
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(spinnerPace)
		defer tick.Stop()
		for i := 0; ; i++ {
			_, _ = fmt.Fprintf(w, "\r%c %s", []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")[i%10], text)
			select {
			case <-tick.C:
			case <-done:
				_, _ = fmt.Fprint(w, "\r\x1b[K")
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(done); <-gone })
}
