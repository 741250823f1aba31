package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// barePlace is where cron and systemd run the examples of docs/stores.md: a home with a configuration and nothing else. The
// program and what it runs are where the page has them, as far as here can tells.
type barePlace struct {
	*place
	home string
	// ran is what the report writes, a line a run.
	ran string
}

func newBarePlace(t *testing.T) *barePlace {
	t.Helper()
	p := newPlace(t)
	p.document(t)
	b := &barePlace{place: p, home: p.path("bare"), ran: p.path("ran")}
	dir := filepath.Join(b.home, ".config", "authctl")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(p.path("config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// What it says of secrets is meant from where it lay.
	moved := strings.ReplaceAll(string(text), "file:config.secrets/", "file:"+p.path("config.secrets")+"/")
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(moved), 0o600); err != nil {
		t.Fatal(err)
	}
	p.script("report", `[ -n "$AUTHCTL_TOKEN" ] && [ -z "${AUTHCTL_CLIENT_SECRET+set}" ] && echo ran >>`+b.ran)
	return b
}

// installed puts the program and the report of this place where the page has theirs.
func (b *barePlace) installed(t *testing.T, text string) string {
	t.Helper()
	return strings.NewReplacer("/usr/bin/authctl", binary(t), "/usr/local/bin/report", b.path("report")).Replace(text)
}

// cron is the environment that cron gives a job (crontab(5)).
func (b *barePlace) cron() []string {
	return []string{"HOME=" + b.home, "LOGNAME=jane", "PATH=/usr/bin:/bin", "SHELL=/bin/sh"}
}

// unit is the environment that systemd gives a unit with User= (systemd.exec(5)).
func (b *barePlace) unit() []string {
	return []string{"HOME=" + b.home, "LOGNAME=jane", "USER=jane", "PATH=/usr/local/bin:/usr/bin:/bin", "SHELL=/bin/sh"}
}

// runs has a shell run a line in an environment, with a session keyring of its own, as systemd starts what it starts.
func (b *barePlace) runs(t *testing.T, env []string, line string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.Dir, cmd.Env = b.home, env
	done := make(chan error)
	var said []byte
	go func() {
		// The keyring is the thread's, and this one ends with it.
		runtime.LockOSThread()
		_, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
		if err == nil || !keyrings() {
			said, err = cmd.CombinedOutput()
		}
		done <- err
	}()
	if err := <-done; err != nil || len(said) > 0 {
		t.Errorf("%s: %v: %s", line, err, said)
	}
}

// keyrings reports whether the kernel lets us use its keyrings, which it does not in many containers.
func keyrings() bool {
	_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true)
	return err == nil
}

// requests is how many requests of Talkdesk's tokens there were.
func (b *barePlace) requests() int {
	n := 0
	for _, r := range b.server.Requests() {
		if r.Service == "talkdesk" {
			n++
		}
	}
	return n
}

// twice runs a line two times, which is one request and two runs of the report.
func (b *barePlace) twice(t *testing.T, env []string, line string) {
	t.Helper()
	before := b.requests()
	b.runs(t, env, line)
	b.runs(t, env, line)
	text, _ := os.ReadFile(b.ran)
	if n, asked := strings.Count(string(text), "ran\n"), b.requests()-before; n != 2 || asked != 1 {
		t.Errorf("%s: the report ran %d times, with %d requests", line, n, asked)
	}
	_ = os.Remove(b.ran)
}

// storeExamples returns the blocks of docs/stores.md with a mark.
func storeExamples(t *testing.T, mark string) []block {
	t.Helper()
	var found []block
	for _, page := range pages(t) {
		for _, b := range page.blocks {
			if page.name == filepath.Join("docs", "stores.md") && b.mark(mark) != nil {
				found = append(found, b)
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("docs/stores.md has no example that is %s", mark)
	}
	return found
}

// TestDocumentedCrontab runs the line of the page as cron does: as it stands, and after store init.
func TestDocumentedCrontab(t *testing.T) {
	t.Parallel()
	for _, example := range storeExamples(t, "run as cron does") {
		fields := strings.SplitN(strings.TrimSpace(example.text), " ", 6)
		b := newBarePlace(t)
		line := b.installed(t, fields[len(fields)-1])
		if len(fields) != 6 || !strings.HasPrefix(line, binary(t)+" ") {
			t.Fatalf("%s: this is no line of a crontab: %s", example.where, example.text)
		}
		if keyrings() {
			b.twice(t, b.cron(), line)
		}
		b.runs(t, b.cron(), binary(t)+" -q store init")
		b.twice(t, b.cron(), line)
	}
}

// unitFile is what a unit says in [Service], by its keys.
func unitFile(text string) map[string][]string {
	said := map[string][]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(key, "#") {
			said[key] = append(said[key], value)
		}
	}
	return said
}

// credentials puts what LoadCredential= names into the directory that %d stands for, and the configuration of the place where
// the unit has its own.
func (b *barePlace) credentials(t *testing.T, unit map[string][]string) {
	t.Helper()
	if err := os.MkdirAll(b.path("credentials"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, pair := range unit["LoadCredential"] {
		name, _, _ := strings.Cut(pair, ":")
		from := b.path("config.secrets/talkdesk.client_secret")
		if name == "store.key" {
			from = filepath.Join(b.home, ".config", "authctl", "store.key")
			b.runs(t, b.cron(), binary(t)+" -q store init")
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(b.path("credentials"), name), text, 0o400); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDocumentedUnits runs what the units of the page start, each time with a session keyring that is new, as
// KeyringMode=private has it, and with the variables of the unit.
func TestDocumentedUnits(t *testing.T) {
	t.Parallel()
	for _, example := range storeExamples(t, "run as systemd does") {
		unit := unitFile(example.text)
		if len(unit["ExecStart"]) != 1 || unit["Type"][0] != "oneshot" {
			t.Fatalf("%s: this is no service that ends", example.where)
		}
		b := newBarePlace(t)
		line, env := b.installed(t, unit["ExecStart"][0]), b.unit()
		switch {
		case slices.Contains(unit["DynamicUser"], "yes"):
			b.credentials(t, unit)
			env = slices.DeleteFunc(env, func(entry string) bool { return strings.HasPrefix(entry, "HOME=") })
			if err := os.MkdirAll(b.path("var/"+unit["StateDirectory"][0]), 0o700); err != nil {
				t.Fatal(err)
			}
		case len(unit["User"]) != 1:
			t.Errorf("%s: it does not say whose it is", example.where)
		case !keyrings():
			continue
		}
		for _, entries := range unit["Environment"] {
			env = append(env, strings.Fields(strings.NewReplacer("%d", b.path("credentials"), "%S", b.path("var"),
				"/etc/authctl/config.yaml", filepath.Join(b.home, ".config", "authctl", "config.yaml")).Replace(entries))...)
		}
		b.twice(t, env, line)
	}
}
