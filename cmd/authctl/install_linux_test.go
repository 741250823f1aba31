package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
)

// downloads is a server with a release, and how often it was asked.
type downloads struct {
	*httptest.Server
	asked atomic.Int32
}

// TestInstaller runs docs/ci/install-authctl as runners have it: with busybox alone, with busybox and curl, and with
// this machine's own tools, against a server of the release.
func TestInstaller(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "ci", "install-authctl"))
	if err != nil {
		t.Fatal(err)
	}
	name, archive := releaseArchive(t, string(text))
	sums := fmt.Sprintf("%064d  another.tar.gz\n%x  %s\n", 0, sha256.Sum256(archive), name)
	for title, c := range map[string]struct {
		sums    string // of the release; empty is the right one
		curl    bool   // there is curl beside busybox
		without string // a tool that is missing
		machine string // what uname -m says
		own     bool   // the machine's own tools and not busybox
		asked   int32
		says    string // empty when it installs
	}{
		"busybox":          {asked: 2},
		"busybox and curl": {asked: 2, curl: true, without: "wget"},
		"own tools":        {asked: 2, own: true},
		"no download":      {without: "wget", says: "there is neither curl nor wget to download with"},
		"another sum": {
			asked: 2, sums: strings.Repeat("0", 64) + "  " + name + "\n",
			says: name + " is not the file that checksums.txt names",
		},
		"no sum":             {asked: 2, sums: strings.Replace(sums, name, "x"+name, 1), says: "does not name " + name},
		"nothing there":      {asked: 1, sums: "-", says: "/checksums.txt cannot be downloaded"},
		"nothing for curl":   {asked: 1, sums: "-", curl: true, says: "/checksums.txt cannot be downloaded"},
		"riscv64":            {machine: "riscv64", says: "no build is released for riscv64, only for x86_64 and aarch64"},
		"32 bits of ARM":     {machine: "armv7l", says: "no build is released for armv7l"},
		"32 bits of the x86": {machine: "i686", says: "no build is released for i686"},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			if c.sums == "" {
				c.sums = sums
			}
			d := serveRelease(t, name, archive, c.sums)
			dir := t.TempDir()
			tools := "/usr/bin:/bin"
			if !c.own {
				tools = filepath.Join(dir, "tools")
				busyboxTools(t, tools, c.without, c.curl)
			}
			if c.machine != "" {
				writeProgram(t, filepath.Join(tools, "uname"), `[ "$1" = -s ] && echo Linux || echo `+c.machine)
			}
			script := strings.Replace(string(text), "https://github.com/authctl/authctl/releases/download", d.URL, 1)
			out, err := install(t, dir, tools, script)
			installed, _ := filepath.Glob(filepath.Join(dir, "to/here/*"))
			if c.says != "" {
				if err == nil || !strings.Contains(out, "install-authctl: ") || !strings.Contains(out, c.says) || installed != nil {
					t.Errorf("it ended with %v, said %q and installed %v; want it to say %q", err, out, installed, c.says)
				}
			} else if err != nil || out != "" || len(installed) != 1 {
				t.Fatalf("it ended with %v, said %q and installed %v", err, out, installed)
			} else if err := exec.CommandContext(t.Context(), installed[0], "version").Run(); err != nil {
				t.Errorf("what is installed does not run: %v", err)
			}
			if n := d.asked.Load(); n != c.asked {
				t.Errorf("the server was asked %d times, want %d", n, c.asked)
			}
		})
	}
}

// install runs the installer, which must leave nothing among the temporary files.
func install(t *testing.T, dir, tools, script string) (out string, err error) {
	t.Helper()
	temp := filepath.Join(dir, "temp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "install-authctl")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	sh := "/bin/sh"
	if busybox := filepath.Join(tools, "sh"); !strings.Contains(tools, ":") {
		sh = busybox
	}
	cmd := exec.CommandContext(t.Context(), sh, path, "to/here")
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + tools, "TMPDIR=" + temp}
	said, err := cmd.CombinedOutput()
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("it left %v among the temporary files", left)
	}
	return string(said), err
}

// serveRelease serves an archive and the sums; sums of "-" is a server without them.
func serveRelease(t *testing.T, name string, archive []byte, sums string) *downloads {
	t.Helper()
	d := &downloads{}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.asked.Add(1)
		switch _, file := filepath.Split(r.URL.Path); {
		case file == name:
			_, _ = w.Write(archive)
		case file == "checksums.txt" && sums != "-":
			_, _ = w.Write([]byte(sums))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(d.Close)
	return d
}

// busyboxTools fills a directory with the tools of busybox that an image such as Alpine's has, but for one.
func busyboxTools(t *testing.T, dir, without string, curl bool) {
	t.Helper()
	busybox := testneed.Program(t, "busybox")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name := range strings.FieldsSeq("sh uname mkdir mktemp rm cat grep sha256sum tar gzip gunzip cp mv wget chmod") {
		if name != without {
			link(busybox, name)
		}
	}
	if curl {
		link(testneed.Program(t, "curl"), "curl")
	}
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("nothing is released for " + runtime.GOARCH)
	}
}

// writeProgram puts a script in the place of what is there.
func writeProgram(t *testing.T, path, text string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
}
