package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"
)

// documented maps the profiles of the documentation's examples to those of the sandbox that stand for them.
func documented() map[string]string {
	return map[string]string{
		"engage": "pexip", "engage-openid": "pexip-openid",
		"calls": "talkdesk", "calls-jwt": "talkdesk-jwt", "calls-login": "talkdesk-login",
		"booking": "qmatic",
		"agents":  "genesys", "agents-password": "genesys-password", "agents-login": "genesys-login",
		"talkdesk": "talkdesk",
	}
}

// document makes the place the one that the documentation's examples run in.
func (p *place) document(t *testing.T) {
	t.Helper()
	config := map[string]any{}
	for name, counterpart := range documented() {
		i := slices.IndexFunc(p.server.Profiles(), func(s sandbox.Profile) bool { return s.Name == counterpart })
		profile := map[string]any{}
		for key, text := range p.server.Profiles()[i].Text {
			profile[key] = text
		}
		for key := range p.server.Profiles()[i].Secrets {
			profile[key] = "file:config.secrets/" + counterpart + "." + key
		}
		if scopes := p.server.Profiles()[i].Scopes; len(scopes) > 0 {
			profile["scopes"] = scopes
		}
		config[name] = profile
	}
	warehouse := map[string]any{
		"provider": "oauth2", "issuer": p.server.URL() + "/openid/main", "client_id": "sandbox-oauth2-easy",
		"client_secret": "env:WAREHOUSE_SECRET", "scopes": []string{"orders:read"},
	}
	billing := maps.Clone(warehouse)
	billing["grant"], billing["subject_token"] = "token_exchange", "profile:warehouse"
	config["warehouse"], config["billing"] = warehouse, billing
	text, err := yaml.Marshal(map[string]any{"default_profile": "engage", "profiles": config})
	if err != nil {
		t.Fatal(err)
	}
	p.configure(string(text))
	p.fileStore()
	key, err := os.ReadFile(p.path("config.secrets/genesys.api_key"))
	if err != nil {
		t.Fatal(err)
	}
	p.set("PATH="+filepath.Dir(binary(t))+string(os.PathListSeparator)+os.Getenv("PATH"), "GENESYS_API_KEY="+string(key),
		"AUTHCTL_SANDBOX_URL="+p.server.URL(), "WAREHOUSE_SECRET="+sandbox.Marker+"-oauth2-easy")
	p.script("sync.sh", `[ -n "$AUTHCTL_PROXY_URL" ] && [ -z "${AUTHCTL_CLIENT_SECRET+set}" ]`)
	for _, name := range []string{"report.sh", "upload.sh"} {
		p.script(name, `[ -n "$AUTHCTL_TOKEN" ] && [ -z "${AUTHCTL_CLIENT_SECRET+set}" ]`)
	}
}

// obey does what the marks of a block say. An unknown one is a slip of the pen.
func (p *place) obey(t *testing.T, b block) {
	t.Helper()
	for _, m := range b.marks {
		switch m.name {
		case "env":
			p.set(m.value)
		case "config":
			p.configure(p.here(m.value))
		case "fault":
			var f sandbox.Fault
			if err := json.Unmarshal([]byte(m.value), &f); err != nil {
				t.Fatalf("%s: fault: %v", b.where, err)
			}
			p.fault(f)
		case "engine":
			p.share(t)
		case "file", "rules": // see TestDocumentedFiles and TestDocumentedRights
		case "not run":
			if m.value == "" {
				t.Errorf("%s: not run, but why?", b.where)
			}
		default:
			if strings.Contains(m.name, " ") || m.value != "" {
				t.Errorf("%s: no test knows the mark %q", b.where, m.name)
			}
		}
	}
}

// here puts what the sandbox has in the place of what the examples name: hosts, a client, a file.
func (p *place) here(text string) string {
	return strings.NewReplacer(
		"https://gapi-use1.genesyscloud.com", p.server.URL(),
		"https://api.talkdeskapp.eu", p.server.URL(),
		"https://id.example.com", p.server.URL()+"/openid/main",
		"AUTHCTL_CLIENT_ID=abc", "AUTHCTL_CLIENT_ID=sandbox-talkdesk",
		"/run/secrets/talkdesk", p.path("config.secrets/talkdesk.client_secret"),
		"cache.example.com:6379", p.cache(),
	).Replace(text)
}

// shell runs a text as a script and returns what it wrote to both streams, in its order, and its exit code.
func (p *place) shell(t *testing.T, text string) (written string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-e", "-c", p.here(text))
	var out bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.dir, p.env, &out, &out
	if strings.Contains(text, "AUTHCTL_PROVIDER=") {
		cmd.Env = append(cmd.Env, "AUTHCTL_BASE_URL="+p.server.URL())
	}
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// TestDocumentedExamples runs the blocks of the language sh as they stand, and those of the language console command by
// command, whose output must be what the page shows. A block that cannot be run is marked, with the reason.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	runs := regexp.MustCompile(`(?m)^ *(?:\$ )?authctl `)
	for _, page := range pages(t) {
		for _, b := range page.blocks {
			if runs.MatchString(b.text) && (b.language == "" || b.language == "bash" || b.language == "shell") {
				t.Errorf("%s: what runs authctl is marked as sh or console", b.where)
			}
			if b.language != "sh" && b.language != "console" {
				continue
			}
			t.Run(b.where, func(t *testing.T) {
				t.Parallel()
				p := newPlace(t)
				p.document(t)
				p.obey(t, b)
				switch {
				case len(b.mark("not run")) > 0:
				case b.language == "sh":
					if written, code := p.shell(t, b.text); code != 0 {
						t.Errorf("exit code %d: %s\n%s", code, b.text, written)
					}
				default:
					p.converse(t, b.text)
				}
			})
		}
	}
}

// converse runs the lines after a dollar sign and compares what they write with what follows each.
func (p *place) converse(t *testing.T, text string) {
	t.Helper()
	for turn := range strings.SplitSeq("\n"+strings.TrimSpace(text), "\n$ ") {
		if turn == "" {
			continue
		}
		command, want, _ := strings.Cut(turn, "\n")
		got, code := p.shell(t, command)
		if failed := strings.Contains(want, "authctl: error:"); failed != (code != 0) {
			t.Errorf("%s: exit code %d", command, code)
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(plain(want)), "…", ".*")
		if !regexp.MustCompile("^" + pattern + "$").MatchString(plain(got)) {
			t.Errorf("%s\nwrites\n%s\nthe page says\n%s", command, plain(got), plain(want))
		}
	}
}

// plain makes two outputs comparable: how they are wrapped, hosts and times do not count.
func plain(text string) string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "/openid/main", "")
	for _, rule := range [][2]string{
		{`127\.0\.0\.1:[0-9]+`, "id.example.com"},
		{`https?://[^/\s"]+`, "https://host"},
		{`20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} [A-Z]{3,4}`, "DAY TIME"},
		{`after DAY TIME \(in [0-9dhms.]+\)`, "after TIME"},
	} {
		text = regexp.MustCompile(rule[0]).ReplaceAllString(text, rule[1])
	}
	return text
}

// TestDocumentedConfiguration: a configuration that a page shows, whole or some profiles of one, has nothing wrong.
func TestDocumentedConfiguration(t *testing.T) {
	t.Parallel()
	for _, page := range pages(t) {
		for _, b := range page.blocks {
			if b.language != "yaml" {
				continue
			}
			t.Run(b.where, func(t *testing.T) {
				t.Parallel()
				text, ok := asConfiguration(t, b.text)
				if !ok {
					return
				}
				p := newPlace(t)
				p.configure(text)
				placeNamed(t, p, page)
				checkProfiles(t, p.run("profile", "list", "-o", "json"))
			})
		}
	}
}

// placeNamed writes the files that a page shows under a comment that names their place at home, for
// those that include them.
func placeNamed(t *testing.T, p *place, shown page) {
	t.Helper()
	for _, b := range shown.blocks {
		first, _, _ := strings.Cut(b.text, "\n")
		name, named := strings.CutPrefix(first, "# ~/")
		if b.language != "yaml" || !named {
			continue
		}
		path := filepath.Join(p.path("home"), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// asConfiguration puts what is left out around some profiles. It is not ok for YAML of something else.
func asConfiguration(t *testing.T, text string) (config string, ok bool) {
	t.Helper()
	var document map[string]any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if _, whole := document["profiles"]; whole {
		return text, true
	}
	for _, value := range document {
		profile, ok := value.(map[string]any)
		if !ok || profile["provider"] == nil {
			return "", false
		}
	}
	return "profiles:\n  " + strings.ReplaceAll(text, "\n", "\n  "), true
}

func checkProfiles(t *testing.T, o outcome) {
	t.Helper()
	var listed struct {
		Profiles []struct{ Name, Problem string }
	}
	if err := json.Unmarshal([]byte(o.stdout), &listed); err != nil || len(listed.Profiles) == 0 {
		t.Fatalf("profile list: %v: exit code %d, %s", err, o.code, o.stderr)
	}
	for _, profile := range listed.Profiles {
		if profile.Problem != "" {
			t.Error(profile.Problem)
		}
	}
}

// TestTourInReadme: the README shows what the tour prints, but for what differs from run to run.
func TestTourInReadme(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "script", "sandbox_tour.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, file := range archive.Files {
		if file.Name == "tour" {
			want, _, _ = strings.Cut(string(file.Data), "\nGo on with:")
		}
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "<!-- the tour -->\n```text\n")
	shown, _, _ = strings.Cut(shown, "```")
	for pattern, steady := range map[string]string{
		`127\.0\.0\.1:[0-9]+`: "127.0.0.1:PORT", `[0-9]+\.[0-9] ms`: "N ms", `20[0-9-]{8} [0-9:]{8} UTC`: "DAY TIME",
	} {
		shown = regexp.MustCompile(pattern).ReplaceAllString(shown, steady)
	}
	if diff := cmp.Diff(want, shown); diff != "" || want == "" {
		t.Errorf("the README's tour (+) is not what it prints (-):\n%s", diff)
	}
}

// TestStaleExampleIsFound: the tests above are worth nothing if they do not see what is wrong.
func TestStaleExampleIsFound(t *testing.T) {
	t.Parallel()
	const fence = "```"
	p := readPage("x.md", fmt.Sprintf("# A b\n\n<!-- env: A=b c -->\n\n%ssh\nauthctl token get\n%s\n[x](#a-b) `--no-such`\n", fence, fence))
	if len(p.blocks) != 1 || p.blocks[0].mark("env")[0] != "A=b c" || p.blocks[0].where != "x.md:5" {
		t.Errorf("the page is read as %+v", p)
	}
	if !p.anchors()["a-b"] || p.links()[0] != "#a-b" || p.spans()[0] != "--no-such" {
		t.Errorf("the page has anchors %v, links %v, code %v", p.anchors(), p.links(), p.spans())
	}
	for _, stale := range []string{
		"authctl tokn get", "authctl token gett", "authctl token get --frozen", "authctl exec calls --tokenfile -- x",
	} {
		if checkCommand(stale) == "" {
			t.Errorf("%s is taken for an example that works", stale)
		}
	}
	if known("--frozen") || !known("--min-ttl") || !known("--color") {
		t.Error("flags are not told apart")
	}
}
