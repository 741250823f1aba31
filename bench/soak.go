//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	soakBatches = 20
	// soakTogether is how many processes run at a time.
	soakTogether = 2
	// noise is how much more memory, in KiB, is no growth: the kernel maps pages as it sees fit.
	noise = 256
)

// soak makes many warm calls, in turns over the stores, and compares the first batch with the last.
func (b *testbed) soak(ctx context.Context, total int) (group, error) {
	g := group{ID: "soak", Title: fmt.Sprintf("%d warm calls, the last twentieth beside the first", total)}
	size := max(soakTogether, total/soakBatches/len(b.stores))
	var before footprint
	firstPeaks, lastPeaks := map[string]int64{}, map[string]int64{}
	for batch := range soakBatches {
		for _, store := range b.stores {
			peak, err := b.batch(ctx, store, size)
			if err != nil {
				return g, err
			}
			lastPeaks[store] = peak
			if batch == 0 {
				firstPeaks[store] = peak
			}
		}
		if batch == 0 {
			// What the first calls leave, such as the files of the locks, is no growth.
			before = b.footprint()
		}
	}
	g.Verdicts = before.growth(b.footprint())
	for _, store := range b.stores {
		g.Rows = append(g.Rows, row{Name: warmName(store), Peak: lastPeaks[store]})
		v := verdict{Row: "growth of the peak memory of " + warmName(store), Unit: kib, Most: noise}
		g.Verdicts = append(g.Verdicts, v.with(float64(lastPeaks[store]-firstPeaks[store])))
	}
	return g, nil
}

// batch runs a number of warm calls, some at a time, and returns the median of their peak memory.
func (b *testbed) batch(ctx context.Context, store string, size int) (int64, error) {
	var (
		wg     sync.WaitGroup
		used   [soakTogether][]use
		failed [soakTogether]error
	)
	s := b.get(store)
	s.name = warmName(store)
	for i := range soakTogether {
		wg.Go(func() { used[i], failed[i] = s.uses(ctx, b.runner, size/soakTogether) })
	}
	wg.Wait()
	var all []use
	for i := range soakTogether {
		if failed[i] != nil {
			return 0, failed[i]
		}
		all = append(all, used[i]...)
	}
	peak, _ := medianUse(all)
	return peak, nil
}

// footprint is what calls may leave behind.
type footprint struct{ files, descriptors, keys int }

func (b *testbed) footprint() footprint {
	dirs := []string{b.runtimeDir(), b.session.Home()}
	for _, store := range b.stores {
		dirs = append(dirs, b.storeDir(store))
	}
	f := footprint{files: len(filesBelow(dirs...)), keys: kernelKeys(), descriptors: b.descriptors()}
	// Those of clients that have just gone are closed a little later.
	for range 10 {
		time.Sleep(50 * time.Millisecond)
		f.descriptors = min(f.descriptors, b.descriptors())
	}
	return f
}

// descriptors is how many the bus and the keyring have open.
func (b *testbed) descriptors() (n int) {
	for _, pid := range b.session.PIDs() {
		open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		n += len(open)
	}
	return n
}

func (f footprint) growth(after footprint) (verdicts []verdict) {
	for _, grown := range []struct {
		what          string
		before, after int
	}{
		{"growth of files below the directories of stores, locks and state", f.files, after.files},
		{"growth of open files of the bus and the keyring", f.descriptors, after.descriptors},
		{"growth of this user's keys in the kernel", f.keys, after.keys},
	} {
		v := verdict{Row: grown.what, Unit: count, Most: 0}
		verdicts = append(verdicts, v.with(float64(grown.after-grown.before)))
	}
	return verdicts
}

// kernelKeys is how many keys of the kernel's keyrings this user has (keyrings(7), /proc/key-users).
func kernelKeys() (n int) {
	text, _ := os.ReadFile("/proc/key-users")
	for line := range strings.Lines(string(text)) {
		var uid, usage, keys int
		_, err := fmt.Sscanf(strings.TrimSpace(line), "%d: %d %d/", &uid, &usage, &keys)
		if err == nil && uid == os.Getuid() {
			n = keys
		}
	}
	return n
}
