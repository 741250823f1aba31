package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/sandbox"
)

// secrets returns all that must not be shown: what the sandbox knows, the parts of its JWTs, and the key that seals
// the store. The marker stands for what the sandbox does not list, such as a part of a secret.
func (p *place) secrets() []string {
	all := append(slices.Concat(p.server.IssuedSecrets(), p.hidden), sandbox.Marker, url.QueryEscape(sandbox.Marker+"+"), fakeStoreKey)
	for _, secret := range all {
		if parts := strings.Split(secret, "."); len(parts) == 3 {
			all = append(all, parts[1], parts[2])
		}
	}
	return all
}

// wantSilent requires that a text shows none of the secrets.
func (p *place) wantSilent(text string) {
	p.t.Helper()
	for _, secret := range p.secrets() {
		if at := strings.Index(text, secret); at >= 0 {
			p.t.Errorf("a secret is shown after %q", text[max(0, at-80):at])
			return
		}
	}
}

// wantCleanDisk requires that no file below the directories holds a secret in clear. The configuration's own secret
// files are where the user put them.
func (p *place) wantCleanDisk(dirs ...string) {
	p.t.Helper()
	secrets, files := p.secrets(), 0
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.Name() == "config.secrets":
				return fs.SkipDir
			case !entry.Type().IsRegular():
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			held := func(secret string) bool { return strings.Contains(string(text), secret) }
			if slices.ContainsFunc(secrets, held) {
				p.t.Errorf("%s holds a secret in clear", path)
			}
			return nil
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	if files == 0 {
		p.t.Error("there was no file to look at")
	}
}

// spoken is a command whose output is searched for secrets.
type spoken struct {
	args  string
	code  int
	stdin string
	// prints says that the token on stdout is what the command is for.
	prints bool
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	eachStore(t, shownNowhere)
}

// shownNowhere runs every command in a place, and looks for secrets in what it says and leaves.
func shownNowhere(t *testing.T, p *place) {
	p.set("AUTHCTL_PASSWORD=" + sandbox.Marker + "+jane's %pass:word")
	given := p.server.IssuedSecrets()
	for _, c := range append(plainCommands(), operations()...) {
		o := p.speak(c)
		if !c.prints {
			continue
		}
		// A token is printed here; what was used to get it is not.
		for _, secret := range given {
			if strings.Contains(o.stdout, secret) {
				t.Errorf("%s: stdout shows a secret of the profile", c.args)
			}
		}
	}
	if n := len(p.server.IssuedSecrets()); n <= len(given) {
		t.Fatalf("no token was issued: nothing has been tested")
	}
	p.wantCleanDisk(p.dir)
	if records, err := filepath.Glob(filepath.Join(p.dir, "trace-*.har")); err != nil || len(records) < 20 {
		t.Errorf("only %d records of requests were looked at: %v", len(records), err)
	}
}

// speak runs a command at the highest log level and looks at what it says.
func (p *place) speak(c spoken) outcome {
	p.t.Helper()
	args := strings.Fields(c.args)
	if args[0] == "token" && args[1] == "get" {
		args = append(args, "--explain")
	}
	trace := p.traced(args)
	if trace != "" {
		args = append(args, "--trace", trace)
	}
	r := p.prepare(append(args, "--verbose")...)
	r.Stdin = strings.NewReader(c.stdin)
	if err := r.Start(); err != nil {
		p.t.Fatal(err)
	}
	o := r.end()
	if o.code != c.code {
		p.t.Errorf("%s: exit code %d, want %d; stderr %q", c.args, o.code, c.code, o.stderr)
	}
	if c.prints && o.stdout == "" || c.code != 0 && o.stdout != "" {
		p.t.Errorf("%s: %d bytes on stdout", c.args, len(o.stdout))
	}
	p.wantSilent(o.stderr)
	if !c.prints {
		p.wantSilent(o.stdout)
	}
	// There is none where nothing was asked.
	if text, err := os.ReadFile(trace); err == nil {
		p.wantSilent(string(text))
	}
	return o
}

// traced returns where a command records its requests, empty where it sends none.
func (p *place) traced(args []string) string {
	asking := []string{"token get", "token revoke", "token introspect", "userinfo", "ping", "passwd", "signout", "login", "doctor --online"}
	command := strings.Join(args, " ")
	if slices.Contains(args, "--dry-run") || !slices.ContainsFunc(asking, func(c string) bool { return strings.HasPrefix(command, c) }) {
		return ""
	}
	p.traces++
	return filepath.Join(p.dir, fmt.Sprintf("trace-%d.har", p.traces))
}

// ofServices are the sandbox's profiles that are named as their service is, and more.
func ofServices(more ...string) (names []string) {
	for _, s := range builtin.Services().All() {
		names = append(names, s.Name)
	}
	return append(names, more...)
}

// plainCommands are the commands of tokens and profiles with the service in order.
func plainCommands() []spoken {
	var list []spoken
	for _, profile := range ofServices("talkdesk-jwt", "pexip-jwt", "genesys-password") {
		get := "token get " + profile
		list = append(list,
			spoken{args: get + " --dry-run"},
			spoken{args: get, prints: true},
			spoken{args: get + " -o json", prints: true},
			spoken{args: get + " -o header", prints: true},
			spoken{args: get + " -o env", prints: true},
			spoken{args: get + " --dry-run --force-refresh"},
			spoken{args: "profile show " + profile},
			spoken{args: "profile show -o json " + profile},
		)
	}
	return append(list,
		spoken{args: "token get genesys-password --force-refresh", prints: true},
		spoken{args: "token get genesys-password --no-cache -o json", prints: true},
		spoken{args: "token list"},
		spoken{args: "token list -o json"},
		spoken{args: "profile list"},
		spoken{args: "profile list -o json"},
		spoken{args: "profile add more --provider pexip --set account=acme --set client_id=a --set client_secret=env:NONE"},
		// A secret where its reference belongs is the likeliest slip of all.
		spoken{args: "profile add slip --provider pexip --set account=acme --set client_id=a --set client_secret=" +
			sandbox.Marker, code: 3},
		spoken{args: "profile use more"},
		spoken{args: "profile remove more"},
		spoken{args: "providers list"},
		spoken{args: "providers show genesys"},
		spoken{args: "providers show genesys -o json"},
		spoken{args: "version"},
		spoken{args: "doctor --online"},
		spoken{args: "doctor --online -o json"},
		spoken{args: "token get nobody", code: 3},
		spoken{args: "token get pexip --client-secret=" + sandbox.Marker, code: 2},
	)
}

// operations are the commands that do something with the tokens of plainCommands; sign-out ends them.
func operations() []spoken {
	old, fresh := sandbox.GenesysPassword+"\n", sandbox.Marker+" changed: %pass\n"
	var list []spoken
	for _, profile := range ofServices("talkdesk-jwt", "pexip-jwt", "pexip-openid", "genesys-password") {
		list = append(list, spoken{args: "token inspect " + profile}, spoken{args: "token inspect -o json " + profile})
	}
	for _, command := range []string{
		"userinfo pexip-openid", "userinfo genesys", "userinfo genesys-password", "userinfo genesys-password --view openid",
		"userinfo genesys-password --view jwt", "ping genesys-password", "ping pexip", "token introspect pexip",
		"token introspect pexip-jwt",
	} {
		list = append(list, spoken{args: command}, spoken{args: command + " -o json"}, spoken{args: command + " --dry-run"})
	}
	const passwd = "passwd genesys-password --stdin"
	return append(list,
		spoken{args: "userinfo talkdesk", code: 4},
		spoken{args: "userinfo pexip", code: 5},
		spoken{args: "userinfo qmatic", code: 6},
		spoken{args: "token inspect --stdin", stdin: sandbox.Marker + "\n"},
		spoken{args: passwd + " --dry-run", stdin: old + fresh},
		spoken{args: passwd, code: 4, stdin: fresh + fresh},
		spoken{args: passwd, code: 2, stdin: old},
		spoken{args: passwd, stdin: old + fresh},
		spoken{args: passwd + " --user acme\\jane --no-verify", stdin: fresh + old},
		spoken{args: "token get genesys-password", prints: true},
		spoken{args: "login genesys-login", code: 4},
		spoken{args: "login genesys-login --dry-run"},
		spoken{args: "login talkdesk-login-jwt --dry-run"},
		spoken{args: "token revoke pexip --dry-run"},
		spoken{args: "token revoke pexip"},
		spoken{args: "token revoke pexip-jwt"},
		spoken{args: "token revoke genesys", code: 6},
		spoken{args: "signout genesys-password --dry-run"},
		spoken{args: "signout genesys-password --redirect-uri https://app.example/bye"},
		spoken{args: "signout genesys --global"},
		spoken{args: "signout qmatic --require-remote", code: 6},
		spoken{args: "signout --all"},
	)
}

// TestSecretsAreNotShownByFailures: services repeat what they were sent, and gateways print what passed through.
func TestSecretsAreNotShownByFailures(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	for _, f := range leaks(p.server.Profiles()[0]) {
		t.Run(f.name, func(t *testing.T) {
			p.server.ClearFaults()
			p.fault(f.fault)
			for _, output := range []string{"raw", "json"} {
				before := p.asked()
				// Forced, or else what another service just said may be repeated.
				p.speak(spoken{args: "token get pexip --force-refresh -o " + output, code: f.code})
				if p.asked() == before {
					t.Error("the service was not asked: nothing has been tested")
				}
			}
			p.speak(spoken{args: "token get pexip", code: f.code})
		})
	}
	p.server.ClearFaults()
	p.wrongSecret("pexip")
	p.speak(spoken{args: "token get pexip --force-refresh", code: 4})
	p.wantCleanDisk(p.dir)
}

// leak is a misbehaviour of a service and the exit code it should end in.
type leak struct {
	name  string
	fault sandbox.Fault
	code  int
}

// leaks are replies that hold a secret of the profile, or a token, where nobody may look for one.
func leaks(profile sandbox.Profile) []leak {
	secret := profile.Secrets["client_secret"]
	encoded := url.QueryEscape(secret)
	basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(profile.Text["client_id"]) + ":" + encoded))
	token := sandbox.Marker + "-passed-through"
	says := func(status int, contentType, body string) sandbox.Fault {
		return sandbox.Fault{Status: status, ContentType: contentType, Body: &body}
	}
	object := func(status int, members map[string]string) sandbox.Fault {
		body, _ := json.Marshal(members) // strings always encode
		return says(status, "application/json", string(body))
	}
	cut := 150
	return []leak{
		{"secret in the description", object(401, map[string]string{"error": "invalid_client", "error_description": "no " + secret}), 4},
		{"secret form-encoded", object(401, map[string]string{"error": "invalid_client", "error_description": encoded}), 4},
		{"header in the description", object(401, map[string]string{"error_description": "bad header Basic " + basic}), 4},
		{"secret as the error code", object(401, map[string]string{"error": secret}), 4},
		{"secret in a message", object(400, map[string]string{"message": "client_secret=" + secret + "\n"}), 3},
		{"token in an error", object(500, map[string]string{"access_token": token, "error_description": "issued " + token}), 8},
		{"token in a page", says(500, "text/html", "<h1>500</h1>Authorization: Bearer "+token), 8},
		{"token in text", says(200, "text/plain", "the token is "+token), 9},
		{"token in a list", says(200, "application/json", `["`+token+`"]`), 9},
		{"token that no header carries", says(200, "application/json", `{"access_token":"`+token+`\u0007"}`), 9},
		{"token in a redirect", sandbox.Fault{Redirect: "https://login.invalid/#access_token=" + token}, 9},
		{"token cut short", sandbox.Fault{Truncate: &cut}, 8},
	}
}
