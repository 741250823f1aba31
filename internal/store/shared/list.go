package shared

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/authctl/authctl/internal/store"
	"github.com/redis/go-redis/v9"
)

// List returns what is stored with this store key, whoever put it there; see store.Store. How long that takes is not
// counted, nor what comes after it: somebody looks.
func (s *Store) List(ctx context.Context) ([]store.Entry, error) {
	s.budget.lift()
	v, err := s.open(ctx)
	if err != nil {
		return nil, unconfigured(store.ListingTokens, err)
	}
	tokens, err := scan(ctx, s, v.tokens())
	if err != nil {
		return nil, err
	}
	list, unopened, why := make([]store.Entry, 0, len(tokens)), 0, ""
	for _, name := range tokens {
		r, err := s.load(ctx, v, store.ListingTokens, name)
		if closed, ok := errors.AsType[*store.UnopenedError](err); ok {
			unopened++
			why = closed.Problem
		}
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, r.Entry(Name))
	}
	if unopened > 0 && s.options.Unopened != nil {
		s.options.Unopened(unopened, why)
	}
	store.SortEntries(list)
	return list, nil
}

// page is how many names one SCAN looks at.
const page = 1000

// scan returns the names that a pattern fits, on all nodes. Each of its commands has the time of one.
func scan(ctx context.Context, s *Store, pattern string) ([]string, error) {
	var nodes []redis.Cmdable
	err := s.ask(ctx, store.ListingTokens, func(ctx context.Context, c redis.UniversalClient) (err error) {
		nodes, err = masters(ctx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	// A name may come twice.
	found := map[string]bool{}
	for _, node := range nodes {
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			var names []string
			err := s.ask(ctx, store.ListingTokens, func(ctx context.Context, _ redis.UniversalClient) (err error) {
				names, cursor, err = node.Scan(ctx, cursor, pattern, page).Result()
				return err
			})
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				found[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// masters are the nodes that have a part of the keys each.
func masters(ctx context.Context, c redis.UniversalClient) ([]redis.Cmdable, error) {
	nodes, ok := c.(*redis.ClusterClient)
	if !ok {
		return []redis.Cmdable{c}, nil
	}
	var mu sync.Mutex
	var all []redis.Cmdable
	err := nodes.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, node)
		return nil
	})
	return all, err
}
