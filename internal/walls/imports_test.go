package walls

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
)

const module = "github.com/authctl/authctl"

// A wall is a package, what it may import of this module, and why not more. Names are patterns of path.Match; of those
// that fit a package the first counts.
type wall struct {
	name string
	may  []string
	why  string
}

// imports lists every kind of package of the module below internal and cmd. A new kind is entered here first; a new
// service, emulated service or verb needs no row.
func imports() []wall {
	below := []string{
		"internal/broker", "internal/config", "internal/config/edit", "internal/config/kinds", "internal/config/stores", "internal/files", "internal/har", "internal/jose",
		"internal/loopback", "internal/moment", "internal/network", "internal/oauth", "internal/oauth/*", "internal/openid",
		"internal/process", "internal/providers", "internal/scopes", "internal/secret", "internal/secret/source",
		"internal/setting", "internal/store", "internal/store/address", "internal/store/shared", "internal/term",
		"internal/tokenkey",
	}
	also := func(more ...string) []string { return append(more, below...) }
	support := "it helps tests and is never linked into the program"
	return []wall{
		{
			"cmd/authctl",
			[]string{"internal/cli", "internal/cli/verb", "internal/process", "internal/term"},
			"main hands the world to the command line and nothing else",
		},
		{
			"internal/cli",
			also("internal/cli/*", "internal/cli/verb/*", "internal/client", "internal/providers/builtin", "internal/sandbox"),
			"the command line joins the parts; it does not reach past builtin to a single service",
		},
		{"internal/cli/verb", also("internal/client"), "what verbs share knows none of them"},
		{"internal/cli/verb/*", also("internal/cli/verb", "internal/client"), "what verbs share knows none of them"},
		{
			"internal/cli/sandbox",
			also("internal/cli/verb", "internal/cli/verb/*", "internal/client", "internal/sandbox"),
			"it is the only verb that runs an emulated service",
		},
		{
			"internal/cli/proxy",
			also("internal/cli/verb", "internal/cli/verb/*", "internal/client", "internal/proxy"),
			"it is the only verb that serves others",
		},
		{"internal/cli/*", also("internal/cli/verb", "internal/cli/verb/*", "internal/client"), "a verb knows no other verb, and no service by name"},
		{
			"internal/client",
			[]string{
				"internal/broker", "internal/certificate", "internal/config", "internal/config/stores", "internal/files",
				"internal/har", "internal/moment", "internal/network", "internal/oauth", "internal/openid", "internal/pipeline", "internal/process",
				"internal/providers", "internal/secret", "internal/secret/source", "internal/setting", "internal/store",
				"internal/store/address", "internal/store/shared", "internal/tokenkey",
			},
			"a client prints nothing and knows no command line",
		},
		{
			"internal/proxy",
			[]string{"internal/network", "internal/secret"},
			"what passes requests on knows neither where tokens come from nor a command line",
		},
		{
			"internal/broker",
			[]string{"internal/moment", "internal/oauth", "internal/providers", "internal/secret", "internal/store", "internal/tokenkey"},
			"the policy must be testable without a command line, a configuration file or a real service",
		},
		{
			"internal/config",
			[]string{
				"internal/config/kinds", "internal/config/scan", "internal/config/stores", "internal/files", "internal/oauth",
				"internal/providers", "internal/secret", "internal/secret/source", "internal/setting",
			},
			"configuration describes services by their settings; it builds and asks none",
		},
		{
			"internal/config/kinds",
			[]string{"internal/files", "internal/secret/source", "internal/setting"},
			"one value is read without knowing the file it is in",
		},
		{
			"internal/config/stores",
			[]string{"internal/files", "internal/secret", "internal/secret/source", "internal/setting", "internal/store/address"},
			"what is said of the store is read without knowing the file it is in",
		},
		{"internal/config/scan", nil, "it reads lines, and knows no setting and no parser"},
		{
			"internal/config/edit",
			[]string{
				"internal/config", "internal/config/kinds", "internal/config/scan", "internal/files", "internal/providers",
				"internal/setting",
			},
			"who changes the file knows how it is read, not the other way round",
		},
		{
			"internal/store",
			[]string{
				"internal/files", "internal/moment", "internal/oauth", "internal/secret", "internal/secretservice", "internal/tokenkey",
			},
			"what is stored does not depend on who issued it",
		},
		{
			"internal/store/address",
			[]string{"internal/secret", "internal/setting"},
			"where an engine is does not depend on what is kept there",
		},
		{
			"internal/store/shared",
			[]string{
				"internal/moment", "internal/oauth", "internal/secret", "internal/store", "internal/store/address", "internal/tokenkey",
			},
			"what is stored does not depend on who issued it; the machine's own stores are no matter of it",
		},
		{
			"internal/store/storetest",
			[]string{"internal/oauth", "internal/secret", "internal/store", "internal/tokenkey"},
			support,
		},
		{
			"internal/pipeline",
			[]string{"internal/files", "internal/oauth", "internal/secret", "internal/secret/source", "internal/setting"},
			"the job's own token is asked for before any service is known",
		},
		{
			"internal/setting",
			[]string{"internal/certificate", "internal/files", "internal/network", "internal/oauth", "internal/secret"},
			"what a profile says is read by all and asks nobody",
		},
		{
			"internal/providers",
			[]string{
				"internal/jose", "internal/moment", "internal/network", "internal/oauth", "internal/oauth/authcode",
				"internal/oauth/devicecode", "internal/openid", "internal/secret", "internal/setting", "internal/tokenkey",
			},
			"it is below every service",
		},
		{
			"internal/providers/builtin",
			[]string{"internal/oauth", "internal/providers", "internal/providers/*"},
			"the one place that names every service",
		},
		{"internal/providers/providertest", []string{"internal/oauth", "internal/providers", "internal/secret", "internal/setting"}, support},
		{
			"internal/providers/*",
			[]string{"internal/jose", "internal/oauth", "internal/providers", "internal/secret", "internal/setting"},
			"a service knows itself: what two of them share belongs to providers",
		},
		{
			"internal/scopes",
			[]string{"internal/jose", "internal/oauth", "internal/oauth/challenge", "internal/providers", "internal/secret", "internal/setting"},
			"it thinks about names and answers; whom to ask, where to keep and how to show it is for others",
		},
		{"internal/secret", nil, "it is below everything"},
		{
			"internal/secret/source",
			[]string{"internal/files", "internal/secret", "internal/setting"},
			"where a secret is does not depend on what needs it, but for how what is wrong with it is said",
		},
		{"internal/files", []string{"internal/secret"}, "what may be believed on the disk does not depend on what it is for"},
		{"internal/certificate", []string{"internal/jose", "internal/secret"}, "what a client shows does not depend on whom it is shown to"},
		{"internal/jose", []string{"internal/secret"}, "a signature does not depend on what it is for"},
		{
			"internal/oauth",
			[]string{
				"internal/jose", "internal/moment", "internal/network", "internal/oauth/challenge", "internal/secret",
			},
			"the protocol alone: no provider, no store, no command",
		},
		{"internal/oauth/challenge", []string{"internal/secret"}, "what a header says does not depend on who reads it"},
		{"internal/tokenkey", []string{"internal/oauth"}, "what a token depends on is known without a store and a service"},
		{"internal/oauth/authcode", []string{"internal/oauth", "internal/secret"}, "what goes through the browser is the protocol's too"},
		{"internal/oauth/devicecode", []string{"internal/moment", "internal/oauth", "internal/secret"}, "the grant is the protocol's too"},
		{
			"internal/openid",
			[]string{"internal/jose", "internal/moment", "internal/network", "internal/oauth", "internal/secret"},
			"what an issuer says does not depend on who asks it, and what for",
		},
		{"internal/har", []string{"internal/jose", "internal/network", "internal/secret"}, "what is written of a request does not depend on who asks it"},
		{"internal/network", []string{"internal/moment", "internal/secret"}, "the way to a service does not depend on what is asked there"},
		{"internal/process", nil, "signals and children are the system's, whatever they are for"},
		{"internal/moment", nil, "how a moment is written does not depend on what it is of"},
		{"internal/loopback", nil, "it receives a query and shows a page; what the query means is for others to say"},
		{
			"internal/sandbox",
			[]string{"internal/sandbox/*"},
			"what it shared with the client would hide the same mistake in both",
		},
		{"internal/sandbox/service", nil, "it is below every emulated service"},
		{"internal/sandbox/*", []string{"internal/sandbox/service"}, "an emulated service knows no other"},
		{"internal/term", []string{"internal/files", "internal/secret"}, "how to print does not depend on what is printed"},
		{"internal/gendocs", []string{"internal/cli"}, "it writes down what the command line says of itself"},
		{"internal/measure", nil, "it reads the source, whatever that is"},
		{"internal/issuertest", []string{"internal/testneed"}, support},
		{"internal/secretservice", []string{"internal/secret"}, "what is kept in a keyring is no matter of its client"},
		{"internal/sandboxtest", []string{"internal/sandbox", "internal/sandbox/service"}, support},
		{"internal/secretservicetest", []string{"internal/daemontest", "internal/testneed"}, support},
		{"internal/redistest", []string{"internal/daemontest", "internal/sandbox/service", "internal/testneed"}, support},
		{"internal/daemontest", nil, support},
		{"internal/seccomptest", nil, support},
		{"internal/testneed", nil, support},
		{"internal/walls", nil, support},
		{"bench", []string{"bench/lab", "internal/secretservicetest"}, "it measures the program from outside"},
		{"bench/fleet", []string{"bench/lab", "internal/redistest"}, "it measures the program from outside"},
		{"bench/proxy", []string{"bench/lab"}, "it measures the program from outside"},
		{"bench/lab", nil, "what measures the program knows nothing of it"},
	}
}

// A keeper is an import from elsewhere that only some packages may have.
type keeper struct {
	path string
	only []string
	why  string
}

func keepers() []keeper {
	return []keeper{
		{"github.com/spf13/cobra", []string{"internal/cli", "internal/cli/*", "internal/cli/verb/*", "internal/gendocs"}, "only the command line knows there is one"},
		{"github.com/spf13/pflag", []string{"internal/cli", "internal/cli/*", "internal/cli/verb/*"}, "only the command line knows that there is one"},
		{"github.com/spf13/viper", []string{"internal/config"}, "its key rules and its global must not leak"},
		{
			"github.com/zalando/go-keyring",
			[]string{"internal/store"},
			"it cannot be cancelled and may lie: each call needs a deadline and a reading back",
		},
		{
			"github.com/godbus/dbus/v5",
			[]string{"internal/secretservice", "internal/secretservicetest"},
			"its connections have no deadline and start dbus-launch: ours only uses its types and its form of messages",
		},
		{"github.com/fatih/color", []string{"internal/term"}, "it decides from stdout alone, for every stream"},
		{"github.com/boombuler/barcode", []string{"internal/term"}, "a QR code is for a terminal"},
		{"software.sslmate.com/src/go-pkcs12", []string{"internal/certificate"}, "old ciphers belong to what reads old files"},
		{"filippo.io/age", []string{"bench/lab", "internal/store", "internal/store/shared"}, "sealing is the stores' business; bench makes a key"},
		{
			"golang.org/x/oauth2", nil,
			"it sends secrets twice to find the auth style, follows redirects and puts reply bodies into errors",
		},
		{"net/http/httputil", []string{"bench/proxy", "internal/proxy"}, "a dumped request holds the secret; only its reverse proxy is used"},
		{"html/template", nil, "it costs start-up time"},
		{"text/template", nil, "it costs start-up time"},
	}
}

// listed is what `go list -json` tells of a package.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

func (p listed) local() (string, bool) { return strings.CutPrefix(p.ImportPath, module+"/") }

// list returns the module's packages and all they depend on, as built for an operating system.
func list(t *testing.T, goos string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testneed.Program(t, "go"), "list", "-deps",
		"-json=ImportPath,Standard,Imports,Deps", "./cmd/...", "./internal/...", "./bench/...")
	cmd.Dir = testneed.Root(t)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, problems.String())
	}
	var packages []listed
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("reading what go list says: %v", err)
		}
		packages = append(packages, p)
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			t.Parallel()
			for _, p := range list(t, goos) {
				name, ok := p.local()
				if !ok {
					continue
				}
				checkImports(t, name, p)
				checkKeepers(t, name, p)
			}
		})
	}
}

func checkImports(t *testing.T, name string, p listed) {
	t.Helper()
	i := slices.IndexFunc(imports(), func(w wall) bool { return fits(w.name, name) })
	if i < 0 {
		t.Errorf("%s has no entry in imports(): say there what it may import, and why not more", name)
		return
	}
	w := imports()[i]
	for _, path := range p.Imports {
		other, ok := strings.CutPrefix(path, module+"/")
		if ok && !slices.ContainsFunc(w.may, func(pattern string) bool { return fits(pattern, other) }) {
			t.Errorf("%s must not import %s: %s", name, other, w.why)
		}
	}
}

func fits(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func checkKeepers(t *testing.T, name string, p listed) {
	t.Helper()
	for _, k := range keepers() {
		if slices.ContainsFunc(k.only, func(pattern string) bool { return fits(pattern, name) }) {
			continue
		}
		for _, path := range p.Imports {
			if path == k.path || strings.HasPrefix(path, k.path+"/") {
				t.Errorf("%s must not import %s: %s", name, path, k.why)
			}
		}
	}
}

func TestOAuthNeedsTheStandardLibraryAndJOSEOnly(t *testing.T) {
	t.Parallel()
	packages := list(t, "linux")
	standard := map[string]bool{}
	for _, p := range packages {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range packages {
		if p.ImportPath != module+"/internal/oauth" {
			continue
		}
		for _, path := range p.Deps {
			ours := slices.Contains([]string{
				"internal/jose", "internal/moment", "internal/network", "internal/oauth/challenge", "internal/secret",
			}, strings.TrimPrefix(path, module+"/"))
			if !standard[path] && !ours && !strings.HasPrefix(path, "github.com/go-jose/go-jose/v4") {
				t.Errorf("internal/oauth depends on %s: the protocol must stay readable beside the RFCs alone", path)
			}
		}
	}
}

func TestProgramLinksNoTestSupport(t *testing.T) {
	t.Parallel()
	unwanted := map[string]string{
		module + "/internal/testneed":               "it is for tests",
		module + "/internal/daemontest":             "it is for tests",
		module + "/internal/issuertest":             "it is for tests",
		module + "/internal/redistest":              "it is for tests",
		module + "/internal/sandboxtest":            "it is for tests",
		module + "/internal/seccomptest":            "it is for tests",
		module + "/internal/store/storetest":        "it is for tests",
		module + "/internal/secretservicetest":      "it is for tests",
		module + "/internal/providers/providertest": "it is for tests",
		"testing":                    "it brings the flags of go test",
		"golang.org/x/oauth2":        "see keepers()",
		"github.com/spf13/cobra/doc": "it is for internal/gendocs, which is not shipped",
		"net/http/pprof":             "it opens a page on the default mux",
	}
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, p := range list(t, goos) {
			if p.ImportPath != module+"/cmd/authctl" {
				continue
			}
			for _, path := range p.Deps {
				if why, bad := unwanted[path]; bad {
					t.Errorf("on %s the program links %s: %s", goos, path, why)
				}
			}
		}
	}
}
