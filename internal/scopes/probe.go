package scopes

import (
	"context"
	"slices"
)

// Probe finds which scopes a client gets, of a service that refuses names if and only if it refuses one of them. Ask
// sends one request: granted is nil where the reply names no scope, refused says that there was no token because of one
// or more of the names, and an error ends the probe. Decided is told of how many more names it is known.
type Probe struct {
	Ask     func(ctx context.Context, names []string) (granted []string, refused bool, err error)
	Decided func(more int)
}

// Run returns those of names that are granted, without asking for all of them where one is known to be refused. It
// asks for each half of what is refused, and for each name of a reply without scope: that ought to mean all of them
// (RFC 6749 §5.1), but not every service keeps to it.
func (p *Probe) Run(ctx context.Context, names []string, refused bool) (granted []string, err error) {
	if !refused {
		if granted, refused, err = p.Ask(ctx, names); err != nil {
			return nil, err
		}
	}
	if granted != nil || len(names) == 1 {
		p.Decided(len(names))
		if granted == nil && !refused {
			granted = names
		}
		return Common(names, granted), nil
	}
	parts := [][]string{names[:len(names)/2], names[len(names)/2:]}
	if !refused {
		parts = slices.Collect(slices.Chunk(names, 1))
	}
	for _, part := range parts {
		// If all the others are granted, it is one of this part that is refused.
		got, err := p.Run(ctx, part, refused && len(granted) == len(names)-len(part))
		if err != nil {
			return nil, err
		}
		granted = append(granted, got...)
	}
	return granted, nil
}
