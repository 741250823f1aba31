package redistest

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
)

// slots are all that a Cluster shares among its masters.
const slots = 16384

// Cluster starts three masters that share the slots between them.
func Cluster(t testing.TB, o Options) []*Engine {
	t.Helper()
	var all []*Engine
	for range 3 {
		bus, err := freePort()
		if err != nil {
			t.Fatalf("looking for a port of a Redis Cluster: %v", err)
		}
		member := o
		member.Lines = append([]string{"cluster-enabled yes", "cluster-port " + bus}, o.Lines...)
		e := Start(t, member)
		all = append(all, e)
		if err := e.join(len(all), bus, all[0]); err != nil {
			t.Fatalf("starting a Redis Cluster for tests: %v", err)
		}
	}
	for _, e := range all {
		if err := e.await("was part of a Cluster", e.inCluster); err != nil {
			t.Fatalf("starting a Redis Cluster for tests: %v", err)
		}
	}
	return all
}

// join gives a member its third of the slots, and has the first meet it.
func (e *Engine) join(number int, bus string, first *Engine) error {
	from, until := (number-1)*slots/3, number*slots/3
	err := e.all([]string{"CLUSTER", "ADDSLOTSRANGE", fmt.Sprint(from), fmt.Sprint(until - 1)},
		[]string{"CLUSTER", "SET-CONFIG-EPOCH", fmt.Sprint(number)})
	if err != nil || e == first {
		return err
	}
	host, port, err := net.SplitHostPort(e.Host)
	if err != nil {
		return err
	}
	return first.all([]string{"CLUSTER", "MEET", host, port, bus})
}

func (e *Engine) inCluster() (bool, error) {
	answer, err := e.Do("CLUSTER", "INFO")
	text := fmt.Sprint(answer)
	return strings.Contains(text, "cluster_state:ok") && strings.Contains(text, "cluster_known_nodes:3"), err
}

// SentinelMaster is the name under which a Sentinel knows its master.
const SentinelMaster = "tokens"

// Watched is a master with one replica, and the Sentinel that knows which is which.
type Watched struct{ Sentinel, Master, Replica *Engine }

// Sentinel starts the three, with options for master and replica.
func Sentinel(t testing.TB, o Options) *Watched {
	t.Helper()
	w := &Watched{Master: Start(t, o)}
	second := o
	second.ReplicaOf = w.Master
	w.Replica = Start(t, second)
	apart := func(e *Engine) string { return strings.Replace(e.Host, ":", " ", 1) }
	w.Sentinel = Start(t, Options{sentinel: fmt.Sprintf(
		"sentinel monitor %[1]s %[2]s 1\nsentinel down-after-milliseconds %[1]s 60000\nsentinel known-replica %[1]s %[3]s",
		SentinelMaster, apart(w.Master), apart(w.Replica),
	)})
	if err := w.Replica.await("followed its master", w.Replica.follows); err != nil {
		t.Fatalf("starting a Sentinel for tests: %v", err)
	}
	return w
}

func (e *Engine) follows() (bool, error) {
	answer, err := e.Do("INFO", "replication")
	return strings.Contains(fmt.Sprint(answer), "master_link_status:up"), err
}

// offset is how far in the master's writes a server is, by a line of what it says of its replication.
func (e *Engine) offset(line string) (string, error) {
	answer, err := e.Do("INFO", "replication")
	_, behind, _ := strings.Cut(fmt.Sprint(answer), line+":")
	number, _, _ := strings.Cut(behind, "\r")
	return number, err
}

// Failover has the Sentinel make the replica the master, and waits until it says so. The replica has all by then that
// was written before: otherwise what comes a moment later would be lost, now and then.
func (w *Watched) Failover() error {
	written, err := w.Master.offset("master_repl_offset")
	if err != nil {
		return err
	}
	all, err := strconv.Atoi(written)
	if err != nil {
		return err
	}
	err = w.Replica.await("had what its master has", func() (bool, error) {
		reached, err := w.Replica.offset("slave_repl_offset")
		number, _ := strconv.Atoi(reached)
		return number >= all, err
	})
	if err != nil {
		return err
	}
	// Who was not asked yet how it is, is no good replica.
	err = w.Sentinel.await("made the replica the master", func() (bool, error) {
		_, err := w.Sentinel.Do("SENTINEL", "FAILOVER", SentinelMaster)
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	return w.Sentinel.await("knew the new master", func() (bool, error) {
		answer, err := w.Sentinel.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SentinelMaster)
		return strings.Join(words(answer), ":") == w.Replica.Host, err
	})
}
