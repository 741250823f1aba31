package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
	"github.com/google/go-cmp/cmp"
)

// clients is a place with the npm packages that ask the proxy, and the upstream that they ask.
type clients struct {
	*place
	dir string
	// upstream is its address, and node the program that runs it.
	upstream, node string
}

func newClients(t *testing.T) *clients {
	t.Helper()
	c := &clients{place: newPlace(t), dir: filepath.Join(testneed.Root(t), "test", "proxy-clients"), node: testneed.Program(t, "node")}
	_, err := os.Stat(filepath.Join(c.dir, "node_modules", "ws", "package.json"))
	testneed.Need(t, "the npm packages of test/proxy-clients", err)
	c.fileStore()
	c.set("no_proxy=127.0.0.1", "CI=true", "NO_COLOR=1")
	upstream := exec.CommandContext(t.Context(), c.node, filepath.Join(c.dir, "upstream.mjs"))
	out, err := upstream.StdoutPipe()
	if err == nil {
		err = upstream.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = upstream.Process.Kill(); _ = upstream.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the upstream does not say where it is: %v", err)
	}
	c.upstream = strings.TrimSpace(line)
	return c
}

// through runs a script with the proxy's address in its environment, in the directory of the clients.
func (c *clients) through(script string) outcome {
	c.t.Helper()
	script = "cd '" + c.dir + "' && PATH=$PWD/node_modules/.bin:$PATH && " + script
	host := strings.TrimPrefix(c.upstream, "http://")
	o := c.run("proxy", "pexip", "--allow-host", host, "--to", c.upstream, "-v", "--", "sh", "-c", script)
	c.wantSilent(o.stdout + o.stderr)
	return o
}

// TestProxyClients: newman, bruno and a WebSocket ask through the proxy, and find the upstream behind it.
func TestProxyClients(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ script, stdout, asked string }{
		"newman": {
			`printf '{"values": [{"key": "baseUrl", "value": "%s"}]}' "$AUTHCTL_PROXY_URL" | newman run newman.json -e /dev/stdin --bail`,
			"a redirect leads through the proxy", "trace: GET /moved 302 ",
		},
		"bruno":  {"cd bruno && bru run --env proxy", "1 passed, 1 total", "trace: POST /orders 200 "},
		"socket": {"node websocket.mjs", "hello at /socket, token true\n", "trace: GET /socket 101 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClients(t)
			o := c.through(tt.script)
			if o.code != 0 || !strings.Contains(o.stdout, tt.stdout) || !strings.Contains(o.stderr, tt.asked) {
				t.Errorf("exit code %d, stdout\n%s\nstderr\n%s", o.code, o.stdout, o.stderr)
			}
			c.wantRequests(1, 1)
		})
	}
}

// TestForeignPageIsRefused has a page of another site in a real browser that has got at the address: on another port
// of the same host, which is the same site to a browser, and on another host. A page of the upstream's own is served.
func TestForeignPageIsRefused(t *testing.T) {
	t.Parallel()
	chromium := testneed.Program(t, "chromium")
	browser := filepath.Join(testneed.Root(t), "test", "browser")
	_, err := os.Stat(filepath.Join(browser, "node_modules", "playwright-core", "package.json"))
	testneed.Need(t, "the npm package playwright-core", err)
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>foreign</title>"))
	}))
	t.Cleanup(foreign.Close)
	for _, page := range []string{foreign.URL, strings.Replace(foreign.URL, "127.0.0.1", "localhost", 1)} {
		c := newClients(t)
		person, err := json.Marshal(map[string]string{"executable": chromium, "profile": c.path("chromium")})
		if err != nil {
			t.Fatal(err)
		}
		c.set("BROWSER_PERSON=" + string(person))
		o := c.through("node '" + browser + "/foreign.mjs' '" + page + "' \"$AUTHCTL_PROXY_URL\"")
		var got map[string]any
		if err := json.Unmarshal([]byte(o.stdout), &got); err != nil {
			t.Fatalf("%v: %s%s", err, o.stdout, o.stderr)
		}
		want := map[string]any{
			"read": "refused: TypeError", "post": "opaque", "preflight": "refused: TypeError", "script": "refused: error",
			"image": "refused: error", "socket": "refused: error", "title": "own page",
			"own": map[string]any{"method": "GET", "target": "/who", "token": true, "body": ""},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: what a page gets (-want +got):\n%s", page, diff)
		}
		// The POST has an answer that no page may see: it is a refusal, and nothing came of it.
		for _, line := range []string{"trace: POST /orders 403 ", "trace: PUT /who ", "trace: POST /orders 200"} {
			if found := strings.Contains(o.stderr, line); found != strings.HasSuffix(line, " 403 ") {
				t.Errorf("%s: logged is %q: %t\n%s", page, line, found, o.stderr)
			}
		}
	}
}
