package har

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/secret"
)

// exchange is one with a reply.
func exchange(t *testing.T, address, reply string) *network.Exchange {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2031, 4, 5, 12, 0, 0, 123456789, time.UTC)
	return &network.Exchange{
		Request: req, Response: &http.Response{
			StatusCode: 200, Proto: "HTTP/1.1", Header: http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"r-1"}},
		},
		Received: network.Beginning{Text: []byte(reply), Size: int64(len(reply))},
		Times:    network.Times{Start: at, Connection: at.Add(2e6), Wrote: at.Add(3e6), FirstIn: at.Add(10e6), Head: at.Add(10e6), End: at.Add(11e6)},
	}
}

// read returns a file that has to be a whole archive.
func read(t *testing.T, path string) archive {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all archive
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return all
}

func TestRecorderIsWholeAtEveryMoment(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new.har")
	r, err := Create(path, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		if all := read(t, path); len(all.Log.Entries) != n || all.Log.Creator.Version != "1.2.3" {
			t.Errorf("%d entries, want %d", len(all.Log.Entries), n)
		}
		r.Add(exchange(t, fmt.Sprintf("https://id.example/%d?code=abc", n), `{"access_token":"abc"}`))
	}
	if n := r.Close(); n != 4 {
		t.Errorf("%d requests", n)
	}
	e := read(t, path).Log.Entries[3]
	if worded(e.Request.URL) != "https://id.example/3?code=WORD" || worded(e.Response.Content.Text) != `{"access_token":"WORD"}` {
		t.Errorf("%+v", e)
	}
	if want := (timings{Blocked: 2, DNS: -1, Connect: -1, Send: 1, Wait: 7, Receive: 1, SSL: -1}); e.Timings != want || e.Time != 11 {
		t.Errorf("%v: %+v", e.Time, e.Timings)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestRecorderOfManyAtOnce is for the race detector, too.
func TestRecorderOfManyAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new.har")
	r, err := Create(path, "1")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n := range 20 {
		x := exchange(t, "https://id.example/", fmt.Sprintf(`{"refresh_token":"fake-refresh-token-%d"}`, n))
		all.Go(func() {
			r.Withhold(secret.New(fmt.Sprintf("fake-other-secret-%d", n)))
			r.Add(x)
		})
	}
	all.Wait()
	r.Close()
	if got := read(t, path); len(got.Log.Entries) != 20 {
		t.Errorf("%d entries", len(got.Log.Entries))
	}
}

// TestRecorderLooksAgain takes out what was known too late.
func TestRecorderLooksAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new.har")
	r, err := Create(path, "1")
	if err != nil {
		t.Fatal(err)
	}
	r.Add(exchange(t, "https://id.example/blue-horse", `{"message":"blue-horse is \"it\"","ok":1}`))
	r.Withhold(secret.New("blue-horse"))
	r.Add(exchange(t, "https://id.example/", `{"ok":2}`))
	if n := r.Close(); n != 2 {
		t.Errorf("%d requests", n)
	}
	all := read(t, path)
	if e := all.Log.Entries[0]; worded(e.Request.URL) != "https://id.example/WORD" || worded(e.Response.Content.Text) != `{"message":"WORD is \"it\"","ok":1}` {
		t.Errorf("%+v", e)
	}
	if len(all.Log.Entries) != 2 || all.Log.Entries[1].Response.Content.Text != `{"ok":2}` {
		t.Errorf("%d entries", len(all.Log.Entries))
	}
	r.Add(exchange(t, "https://id.example/late", "")) // goes nowhere
}

// TestRecorderOverwritesNothing: not a file, not what a link leads to, not a pipe.
func TestRecorderOverwritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	there, link := filepath.Join(dir, "there"), filepath.Join(dir, "link")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	paths := []string{there, dir}
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err == nil {
		paths = append(paths, link)
	}
	for _, path := range append(paths, filepath.Join(dir, "none", "new")) {
		if _, err := Create(path, "1"); err == nil {
			t.Errorf("%s is taken", path)
		} else if _, ok := errors.AsType[*PathError](err); !ok || strings.Contains(err.Error(), dir) {
			t.Errorf("error %T %v", err, err)
		}
	}
	if text, err := os.ReadFile(there); err != nil || string(text) != "mine" {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "elsewhere")); err == nil {
		t.Error("a link was followed")
	}
}

// TestRecorderOfNothing leaves nothing of its own, and what somebody else has put there.
func TestRecorderOfNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new.har")
	for _, replaced := range []bool{false, true} {
		r, err := Create(path, "1")
		if err != nil {
			t.Fatal(err)
		}
		if replaced {
			other := path + ".other"
			if err := os.WriteFile(other, []byte("another's"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(other, path); err != nil {
				t.Skip("an open file cannot be replaced here")
			}
		}
		if n := r.Close(); n != 0 {
			t.Errorf("%d requests", n)
		}
		if _, err := os.Stat(path); (err == nil) != replaced {
			t.Errorf("replaced %v: %v", replaced, err)
		}
	}
}

// TestRecorderOfFullDisk keeps what is there whole, says so once, and ends no command.
func TestRecorderThatCannotWrite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new.har")
	r, err := Create(path, "1")
	if err != nil {
		t.Fatal(err)
	}
	var warned []string
	r.Warn = func(text string) { warned = append(warned, text) }
	r.Add(exchange(t, "https://id.example/", `{}`))
	_ = r.file.Close()
	for range 3 {
		r.Add(exchange(t, "https://id.example/", `{}`))
	}
	r.Close()
	if len(warned) != 1 || !strings.HasPrefix(warned[0], "the trace cannot be written any more: ") {
		t.Errorf("warnings %q", warned)
	}
	if all := read(t, path); len(all.Log.Entries) != 1 {
		t.Errorf("%d entries", len(all.Log.Entries))
	}
}

// TestNothingOfASecretIsWritten has a secret of the process, and of each reply, stand everywhere.
func TestNothingOfASecretIsWritten(t *testing.T) {
	t.Parallel()
	for _, held := range []string{fakeSecret, fakeToken, "blue-horse", `q"uo\te</b>&`, fakeJWT(), "pass word"} {
		path := filepath.Join(t.TempDir(), "new.har")
		r, err := Create(path, "1")
		if err != nil {
			t.Fatal(err)
		}
		x := exchange(t, "https://id.example/", "")
		inJSON, _ := json.Marshal(map[string]any{"message": "no " + held, held: held, "n": []string{held}})
		text := string(inJSON)
		x.Request.URL.RawQuery, x.Request.URL.Path = "a="+url.QueryEscape(held), "/p/"+held+"/"
		x.Request.Header = http.Header{"X-Something": {"a " + held}, "Cookie": {"a=" + held}, "User-Agent": {held}, "Content-Type": {"text/" + held}}
		x.Sent = network.Beginning{Text: []byte(text), Size: int64(len(text))}
		x.Received = x.Sent
		x.Response.Header = http.Header{"Location": {"https://a.example/?b=" + url.QueryEscape(held)}, "X-Request-Id": {held}, "Content-Type": {"application/json"}}
		x.Err = errors.New("broken at " + held)
		x.Secrets = secret.Redactor{held}
		r.Add(x)
		r.Close()
		written, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		once, _ := json.Marshal(held)
		twice, _ := json.Marshal(string(once[1 : len(once)-1]))
		for _, form := range []string{held, string(once[1 : len(once)-1]), string(twice[1 : len(twice)-1]), url.QueryEscape(held)} {
			if strings.Contains(string(written), form) {
				t.Errorf("%q is shown: %s", form, written)
			}
		}
	}
}
