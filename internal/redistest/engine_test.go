package redistest_test

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/redistest"
)

// want sends a command and requires an answer, or an error that contains it.
func want(t *testing.T, e *redistest.Engine, answer string, command ...string) {
	t.Helper()
	got, err := e.Do(command...)
	if err != nil && answer != "" && strings.Contains(err.Error(), answer) {
		return
	}
	if err != nil || fmt.Sprint(got) != answer {
		t.Errorf("%q: %v, error %v; want %q", command, got, err, answer)
	}
}

func TestRestartKeepsTheAddressAndLosesTheRest(t *testing.T) {
	t.Parallel()
	for _, persist := range []bool{false, true} {
		e := redistest.Start(t, redistest.Options{Persist: persist})
		host := e.Host
		want(t, e, "OK", "SET", "a", "1")
		if err := e.Restart(); err != nil {
			t.Fatal(err)
		}
		if e.Host != host {
			t.Errorf("the address is %s after a restart, was %s", e.Host, host)
		}
		want(t, e, map[bool]string{true: "1", false: "<nil>"}[persist], "GET", "a")
		e.Kill()
		e.Kill()
		if _, err := e.Do("PING"); err == nil {
			t.Error("a killed server answers")
		}
	}
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	// asked is what a stranger is told.
	asked := func(e *redistest.Engine, command string) string {
		c, err := net.Dial("tcp", e.Host) //nolint:noctx // it is on loopback
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(command + "\r\n")); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, 64)
		n, _ := c.Read(said)
		return string(said[:n])
	}
	password := redistest.Start(t, redistest.Options{Password: "fake"})
	want(t, password, "PONG", "PING")
	if said := asked(password, "PING"); !strings.HasPrefix(said, "-NOAUTH") {
		t.Errorf("without the password: %q", said)
	}
	acl := redistest.Start(t, redistest.Options{ACL: "user default off\nuser ci on >fake ~a:* +get +auth"})
	want(t, acl, "PONG", "PING")
	if said := asked(acl, "AUTH ci fake"); said != "+OK\r\n" {
		t.Errorf("with the password of the user: %q", said)
	}
	secured := redistest.Start(t, redistest.Options{TLS: true, ClientCertificates: true})
	want(t, secured, "PONG", "PING")
	if !strings.HasPrefix(secured.URL(), "rediss://") {
		t.Errorf("its address is %s", secured.URL())
	}
	if said := asked(secured, "PING"); strings.HasPrefix(said, "+PONG") {
		t.Error("it answers without TLS")
	}
}

func TestReplicaAndFullServer(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t, redistest.Options{})
	replica := redistest.Start(t, redistest.Options{ReplicaOf: master})
	want(t, replica, "READONLY", "SET", "a", "1")
	full := redistest.Start(t, redistest.Options{MaxMemory: "1", Policy: "noeviction"})
	want(t, full, "OOM", "SET", "a", "1")
}

func TestWhatAServerHoldsAndWasAsked(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	before, err := e.Stats()
	if err != nil {
		t.Fatal(err)
	}
	m, err := e.Monitor()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	const value = "seen-in-every-place"
	want(t, e, "OK", "SET", "a", value)
	text, err := m.Text()
	if err != nil || !strings.Contains(text, value) {
		t.Errorf("MONITOR showed %q, error %v", text, err)
	}
	for name, look := range map[string]func() ([]byte, error){"dump": e.Dump, "memory": e.Memory} {
		held, err := look()
		if err != nil || !bytes.Contains(held, []byte(value)) {
			t.Errorf("%s: the value is not in %d bytes, error %v", name, len(held), err)
		}
	}
	after, err := e.Stats()
	more := after.Calls["set"] == before.Calls["set"]+1 && after.Received > before.Received && after.Sent > before.Sent
	if err != nil || !more {
		t.Errorf("before %+v, after %+v, error %v; want one SET more, and bytes", before, after, err)
	}
	if !strings.Contains(e.Log(), "Ready to accept connections") {
		t.Errorf("the log says %q", e.Log())
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	all := redistest.Cluster(t, redistest.Options{})
	moved := 0
	for _, e := range all {
		if _, err := e.Do("SET", "a", "1"); err != nil && strings.HasPrefix(err.Error(), "MOVED ") {
			moved++
		}
	}
	if len(all) != 3 || moved != 2 {
		t.Errorf("%d of %d members send a key elsewhere, want 2 of 3", moved, len(all))
	}
}

func TestSentinelMakesTheReplicaTheMaster(t *testing.T) {
	t.Parallel()
	w := redistest.Sentinel(t, redistest.Options{})
	want(t, w.Replica, "READONLY", "SET", "a", "1")
	if err := w.Failover(); err != nil {
		t.Fatal(err)
	}
	want(t, w.Replica, "OK", "SET", "a", "1")
}
