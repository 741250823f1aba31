package verb

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/authctl/authctl/internal/files"
)

// maxStdin is how many bytes of stdin are read where somebody pastes or pipes a text.
const maxStdin = 1 << 20

// ReadStdin reads stdin to its end, as FromStdin does.
func (d *Deps) ReadStdin(ctx context.Context, f *Service) (string, error) {
	return FromStdin(ctx, d, f, func() (string, error) {
		text, err := io.ReadAll(io.LimitReader(d.UI.In, maxStdin))
		return string(text), err
	})
}

// FromStdin runs read, which reads from stdin, for no longer than --timeout and until a signal
// comes: a pipe may have nobody at its other end who ever writes. A person at a terminal has
// the time they need.
func FromStdin[T any](ctx context.Context, d *Deps, f *Service, read func() (T, error)) (T, error) {
	ctx = d.Watched(ctx)
	if !d.UI.InTerminal {
		// What is wrong with the environment is said where it matters.
		local, _ := d.Local()
		limit := local.Timeout(f.Timeout.Given)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, &Error{
			Kind: "temporary", Message: fmt.Sprintf("nobody has ended it within %s", limit),
			Hint: "see who writes to stdin, and that it ends; or raise --timeout (AUTHCTL_TIMEOUT)",
		})
		defer cancel()
	}
	got, err := files.Await(ctx, read)
	if err != nil {
		return got, fmt.Errorf("reading stdin: %w", err)
	}
	return got, nil
}

// PastedText returns the text of the arguments or, without any or for "-", that of stdin.
func (d *Deps) PastedText(ctx context.Context, args []string) (string, error) {
	text := strings.Join(args, " ")
	if len(args) == 0 && d.UI.InTerminal {
		return "", Usagef("TEXT is missing: give an error or an API's name, or pipe it in")
	}
	if len(args) == 0 || text == "-" {
		read, err := d.ReadStdin(ctx, &Service{})
		if err != nil {
			return "", err
		}
		text = read
	}
	if strings.TrimSpace(text) == "" {
		return "", Usagef("there is no text to explain")
	}
	return strings.TrimSpace(text), nil
}
