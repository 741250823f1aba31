package curl

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/cli/verb/hosts"
	"github.com/authctl/authctl/internal/network"
	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args string
		urls string
		// wrong is a part of the error's text.
		wrong string
	}{
		{args: "https://a.example/", urls: "https://a.example/"},
		{args: "-sSLo out https://a.example/ -d x", urls: "https://a.example/"},
		{args: "-ohttps://b.example/ https://a.example/", urls: "https://a.example/"},
		{args: "-XPOST -Hx:y https://a.example/", urls: "https://a.example/"},
		{args: "-sX https://b.example/ https://a.example/", urls: "https://a.example/"},
		{args: "-s -- https://a.example/ -K", urls: "https://a.example/ -K"},
		{args: "--url https://a.example/ https://b.example/", urls: "https://b.example/ https://a.example/"},
		{args: "--referer https://b.example/ https://a.example/", urls: "https://a.example/"},
		{args: "--no-progress-meter --no-buffer -N https://a.example/", urls: "https://a.example/"},
		{args: "--location-trusted https://a.example/", wrong: "redirects"},
		{args: "--no-location-trusted https://a.example/", wrong: "redirects"},
		{args: "--location-t https://a.example/", wrong: "not an option"},
		{args: "--LOCATION-TRUSTED https://a.example/", wrong: "not an option"},
		{args: "--url=https://a.example/", wrong: "not an option"},
		{args: "-sK cfg https://a.example/", wrong: "--config"},
		{args: "--config cfg https://a.example/", wrong: "--config"},
		{args: "-s: https://a.example/", wrong: "--next"},
		{args: "--next https://a.example/", wrong: "--next"},
		{args: "--expand-url {{x}}", wrong: "--expand-url"},
		{args: "--variable x=https://b.example", wrong: "--variable"},
		{args: "--libcurl out.c https://a.example/", wrong: "--libcurl"},
		{args: "--trace-ascii - https://a.example/", wrong: "--trace-ascii"},
		{args: "--stderr out -v https://a.example/", wrong: "--stderr"},
		{args: "-su a:b https://a.example/", wrong: "--user"},
		{args: "--oauth2-bearer x https://a.example/", wrong: "--oauth2-bearer"},
		{args: "-n https://a.example/", wrong: "--netrc"},
		{args: "--unix-socket s https://a.example/", wrong: "--unix-socket"},
		{args: "--proto-redir =http https://a.example/", wrong: "must not leave https"},
		{args: "-d @/dev/fd/3 https://a.example/", wrong: "descriptors 3 and 4"},
		{args: "-F a=<//dev/./fd/4;type=x https://a.example/", wrong: "descriptors 3 and 4"},
		{args: "-o /proc/self/fd/3 https://a.example/", wrong: "descriptors 3 and 4"},
		{args: "--upload-file /proc/thread-self/fd/4 https://a.example/", wrong: "descriptors 3 and 4"},
		{args: "-d @/dev/fd/34 -o /x/fd/3 https://a.example/", urls: "https://a.example/"},
		{args: "--request-target http://b.example/ https://a.example/", wrong: "names a host"},
		{args: "--request-target /x https://a.example/", urls: "https://a.example/"},
		{args: "--no-such https://a.example/", wrong: "not an option"},
		{args: "--no-data https://a.example/", wrong: "not an option"},
		{args: "-s! https://a.example/", wrong: "not an option"},
		{args: "- https://a.example/", wrong: "not an option"},
		{args: "https://a.example/ -o", wrong: "wants a value"},
	}
	for _, tt := range tests {
		call, err := read(strings.Fields(tt.args))
		switch {
		case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
			t.Errorf("curl %s: error %v, want one about %s", tt.args, err, tt.wrong)
		case tt.wrong == "" && err != nil:
			t.Errorf("curl %s: %v", tt.args, err)
		case tt.wrong == "":
			if diff := cmp.Diff(strings.Fields(tt.urls), call.urls); diff != "" {
				t.Errorf("curl %s: URLs (-want +got):\n%s", tt.args, diff)
			}
		}
	}
}

func TestReadWantsOneLine(t *testing.T) {
	t.Parallel()
	for option, ok := range map[string]bool{
		"-H": false, "-A": false, "-b": false, "-e": false, "-X": false, "--request-target": false, "-d": true, "-w": true,
	} {
		if _, err := read([]string{option, "/x\r\nHost: b.example", "https://a.example/"}); (err == nil) != ok {
			t.Errorf("%s with a line break: %v", option, err)
		}
	}
	if _, err := read([]string{"-X", "GET http://b.example/", "https://a.example/"}); err == nil {
		t.Error("a method with a blank is taken")
	}
}

// TestOptionsAreRealCurls compares the tables with what the installed curl says of its options: one that takes a
// value for one of the two and not for the other would hide a URL.
func TestOptionsAreRealCurls(t *testing.T) {
	t.Parallel()
	help, err := exec.CommandContext(t.Context(), "curl", "--help", "all").Output()
	if err != nil {
		t.Skipf("there is no curl to compare with: %v", err)
	}
	known, compared := knownOptions(), 0
	for line := range strings.Lines(string(help)) {
		words := strings.Fields(line)
		letter := ""
		if len(words) > 1 && len(words[0]) == 3 && words[0][2] == ',' {
			letter, words = words[0][1:2], words[1:]
		}
		if len(words) < 2 || !strings.HasPrefix(words[0], "--") {
			continue
		}
		long := words[0][2:]
		name := strings.TrimPrefix(long, "no-")
		takes := strings.ContainsAny(words[1][:1], "<[")
		if mine := known.letters[letter]; mine != "" && mine != long {
			t.Errorf("-%s is --%s, not --%s", letter, long, mine)
		}
		switch mine, ok := known.find(name); {
		case !ok || mine.refused != "":
		case mine.takes != takes:
			t.Errorf("--%s: takes a value: %t, and curl says %q", long, mine.takes, strings.TrimSpace(line))
		default:
			compared++
		}
	}
	if compared < 100 {
		t.Errorf("only %d options were compared", compared)
	}
}

func TestCheckCall(t *testing.T) {
	t.Parallel()
	rule := func(text string) network.HostRule {
		r, err := network.ParseHostRule(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	rules := []network.HostRule{rule("api.example"), rule("other.example:8443"), rule("127.0.0.1:80")}
	may := allowed{&hosts.Allowed{Rules: rules}}
	for args, ok := range map[string]bool{
		"https://api.example/ -L":                          true,
		"https://api.example/ https://other.example:8443/": true,
		"https://api.example/ https://evil.example/":       false,
		"-s":                                    false,
		"--connect-to ::: https://api.example/": true,
		"--connect-to api.example:443:other.example:8443 https://api.example/":       true,
		"--connect-to ::evil.example:443 https://api.example/":                       false,
		"--connect-to ::evil.example: https://api.example/":                          false,
		"--connect-to :::8443 https://api.example/":                                  false,
		"--connect-to evil https://api.example/":                                     false,
		"--connect-to ::[2001:db8::1]:443 https://api.example/":                      false,
		"--resolve api.example:443:192.0.2.1 https://api.example/":                   false,
		"--resolve +api.example:443:api.example,192.0.2.1 https://api.example/":      false,
		"--resolve api.example:443:2001:db8::1 https://api.example/":                 false,
		"--resolve -api.example:443 https://api.example/":                            true,
		"--resolve api.example:443 https://api.example/":                             false,
		"-H Authorization:x https://api.example/":                                    false,
		"-Hauthorization;x https://api.example/":                                     false,
		"-H X-Authorization:x https://api.example/":                                  true,
		"-HHost:evil.example https://api.example/":                                   false,
		"-H host;evil.example https://api.example/":                                  false,
		"-HHost: https://api.example/":                                               false,
		"-HHost:api.example https://api.example/":                                    true,
		"-HHost:API.example:443 https://api.example/":                                true,
		"-HHost:api.example:8443 https://api.example/":                               false,
		"-H @headers https://api.example/":                                           false,
		"-H @- https://api.example/":                                                 false,
		"-k https://api.example/":                                                    false,
		"-k http://127.0.0.1/":                                                       true,
		"-x http://proxy.example https://api.example/":                               true,
		"-x http://proxy.example http://127.0.0.1/":                                  false,
		"--socks5-hostname proxy.example http://127.0.0.1/":                          false,
		"--resolve 127.0.0.1:80:127.0.0.1 http://127.0.0.1/":                         false,
		"--proxy-header Authorization:x -x http://proxy.example https://api.example": true,
	} {
		call, err := read(strings.Fields(args))
		if err == nil {
			err = may.checkCall(call)
		}
		if (err == nil) != ok {
			t.Errorf("curl %s: %v", args, err)
		}
	}
}

func TestReadsStdin(t *testing.T) {
	t.Parallel()
	for args, reads := range map[string]bool{
		"":                        false,
		"-d a=b":                  false,
		"-d @curl.go":             false,
		"-o -":                    false,
		"--data-raw @-":           false,
		"-F file=@curl.go;type=x": false,
		"-d @-":                   true,
		"--data-binary @-":        true,
		"--json @-":               true,
		"--data-urlencode a@-":    true,
		"-F a=<-":                 true,
		"-F file=@-;type=x":       true,
		"-T -":                    true,
		"-T .":                    true,
		"-T{a,b}":                 true,
		"-H @-":                   true,
	} {
		call, err := read(strings.Fields(args + " https://api.example/"))
		if err != nil {
			t.Fatal(err)
		}
		if got := call.readsStdin(); got != reads {
			t.Errorf("curl %s: reads stdin: %t", args, got)
		}
	}
}

// TestFollows has every option that makes curl follow a redirect, to another host too.
func TestFollows(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"":                  "",
		"-s":                "",
		"-L":                "location",
		"-sSL":              "location",
		"--location":        "location",
		"-L --no-location":  "location",
		"--follow":          "follow",
		"--no-follow":       "",
		"--max-redirs 3":    "",
		"--post301":         "",
		"--follow --silent": "follow",
	} {
		call, err := read(strings.Fields(args + " https://api.example/"))
		if err != nil {
			t.Fatal(err)
		}
		if got := call.follows(); got != want {
			t.Errorf("curl %s follows by %q, want %q", args, got, want)
		}
	}
	trusted := &call{given: map[string][]string{"location-trusted": nil}}
	if got := trusted.follows(); got != "location-trusted" {
		t.Errorf("--location-trusted follows by %q", got)
	}
}

func TestIsRefusal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"HTTP/1.1 401 Unauthorized\r\n":                                  true,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Unauthorized\r\n":     true,
		"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 401 No\r\n": true,
		"HTTP/2 401 \r\n\r\n":                                            true,
		"HTTP/1.1 503 Busy\r\n\r\nHTTP/1.1 401 No\r\n":                   true,
		"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\nHTTP/1.1 401 No\r\n":   false,
		"HTTP/1.1 401 Unauthorized\r\n\r\nHTTP/1.1 200 OK\r\n":           false,
		"HTTP/1.1 200 OK\r\nX: HTTP/1.1 401\r\n\r\n":                     false,
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100_000) + "\r\n": false,
		"X: HTTP/1.1 401\r\n":                                            false,
		"":                                                               false,
		"HTTP/1.1":                                                       false,
	} {
		if got := isRefusal(strings.NewReader(text)); got != want {
			t.Errorf("%.80q: %t, want %t", text, got, want)
		}
	}
}

// TestRedactorOfCutSecrets: curl cuts long lines of -v, and shows the beginning of a long token.
func TestRedactorOfCutSecrets(t *testing.T) {
	t.Parallel()
	secret := "fake-" + strings.Repeat("0123456789abcdef", 200)
	for text, want := range map[string]string{
		"* h2h3 [authorization: Bearer " + secret[:2010] + "]\n": "* h2h3 [authorization: Bearer [redacted]]\n",
		"cut at the end: " + secret[:2010]:                       "cut at the end: [redacted]",
		"<" + secret[:16] + "> <" + secret[:15] + ">":            "<[redacted]> <" + secret[:15] + ">",
		secret[:20] + secret + secret[:3]:                        "[redacted][redacted]" + secret[:3],
	} {
		for _, size := range []int{1, 7, len(text)} {
			var b strings.Builder
			r := &redactor{to: &b, secrets: []string{secret}}
			for part := range slices.Chunk([]byte(text), size) {
				if _, err := r.Write(part); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Close(); err != nil || b.String() != want {
				t.Errorf("%.50q in parts of %d bytes: %.80q, %v; want %q", text, size, b.String(), err, want)
			}
		}
	}
}

func TestRedactor(t *testing.T) {
	t.Parallel()
	const secret = "fake-fakf-token"
	const text = "Bearer fake-fakf-token\nfake-fake-fakf-token fake-fak"
	for size := 1; size <= len(text); size++ {
		var b strings.Builder
		r := &redactor{to: &b, secrets: []string{secret}}
		for from := 0; from < len(text); from += size {
			if _, err := r.Write([]byte(text[from:min(from+size, len(text))])); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if got, want := b.String(), "Bearer [redacted]\nfake-[redacted] fake-fak"; got != want {
			t.Errorf("in parts of %d bytes: %q, want %q", size, got, want)
		}
	}
}
