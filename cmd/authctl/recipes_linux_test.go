package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// runner is a machine on which a pipeline's job runs: a checkout, what the job may ask for, and its log. What hides
// text in the log is the pipeline's own; see the runners of docs/ci.
type runner struct {
	*place
	checkout, temp string
	// variables and secrets are those of the project's settings.
	variables, secrets map[string]string
	// identityTokens are the tokens of the job's own, by their variables; a project that has them has no secret.
	identityTokens map[string]string
	// env is what every step gets, further entries outdo earlier ones.
	env []string
	// masks are texts that the log hides.
	masks []string
	// log is what the job's programs write; shown is what a reader of the log sees, the runner's own lines too.
	log, shown strings.Builder
}

// newRunner makes a machine with a checkout in which the recipe's own files are, and a release to download.
func newRunner(t *testing.T) *runner {
	t.Helper()
	p := newPlace(t)
	r := &runner{place: p, checkout: p.path("checkout"), temp: p.path("temp")}
	for _, dir := range []string{"checkout/ci", "temp", "release", "tools"} {
		if err := os.MkdirAll(p.path(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	installer := recipeText(t, "install-authctl")
	r.write(t, "checkout/ci/install-authctl", installer, 0o600)
	r.release(t, installer)
	// curl finds on this machine what it would download.
	r.write(t, "tools/curl", "#!/bin/sh\nfor u in \"$@\"; do\n case $u in\n https://github.com/authctl/authctl/releases/*)"+
		" cp '"+p.path("release")+"'/\"${u##*/}\" . || exit ;;\n esac\ndone\n", 0o700)
	r.program(t, "report.sh", `[ -z "${AUTHCTL_CLIENT_SECRET:-}" ]
printf %s "$AUTHCTL_TOKEN" >'`+r.temp+`/reported'`)
	r.program(t, "upload.sh", `[ -z "${AUTHCTL_CLIENT_SECRET:-}" ]
printf %s "$TALKDESK_TOKEN" >'`+r.temp+`/uploaded'`)
	r.env = []string{
		"PATH=" + p.path("tools") + ":/usr/bin:/bin", "HOME=" + p.path("home"), "LANG=C.UTF-8",
		"AUTHCTL_BASE_URL=" + p.server.URL(), "AUTHCTL_RUNTIME_DIR=" + p.path("run"), "DBUS_SESSION_BUS_ADDRESS=",
	}
	secret, err := os.ReadFile(p.path("config.secrets/talkdesk.client_secret"))
	if err != nil {
		t.Fatal(err)
	}
	r.variables = map[string]string{"id": "sandbox-talkdesk", "file": p.path("config.secrets/talkdesk.client_secret")}
	r.secrets = map[string]string{"secret": string(secret)}
	return r
}

func (r *runner) write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(r.path(name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// program puts a script into the checkout.
func (r *runner) program(t *testing.T, name, text string) {
	t.Helper()
	r.write(t, filepath.Join("checkout", name), "#!/bin/sh\nset -eu\n"+text+"\n", 0o700)
}

// release makes the archive that the installer asks for, and its sum.
func (r *runner) release(t *testing.T, installer string) {
	t.Helper()
	name, archive := releaseArchive(t, installer)
	r.write(t, "release/"+name, string(archive), 0o600)
	r.write(t, "release/checksums.txt", fmt.Sprintf("%x  %s\n", sha256.Sum256(archive), name), 0o600)
}

// releaseArchive packs this machine's program as a release has it, under the name that the installer asks for.
func releaseArchive(t *testing.T, installer string) (name string, archive []byte) {
	t.Helper()
	_, version, _ := strings.Cut(installer, "\nversion=")
	version, _, _ = strings.Cut(version, "\n")
	name = "authctl_" + version + "_linux_" + runtime.GOARCH
	program, err := os.ReadFile(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	files := tar.NewWriter(zip)
	header := &tar.Header{Name: name + "/authctl", Mode: 0o755, Size: int64(len(program))}
	if err := files.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Write(program); err != nil {
		t.Fatal(err)
	}
	if files.Close() != nil || zip.Close() != nil {
		t.Fatal("the archive cannot be written")
	}
	return name + ".tar.gz", packed.Bytes()
}

// recipe decodes a recipe that is YAML.
func recipe(t *testing.T, name string, to any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(recipeText(t, name)), to); err != nil {
		t.Fatal(err)
	}
}

// step runs a script with an interpreter and returns the lines of its output. It must succeed.
func (r *runner) step(t *testing.T, interpreter []string, script string, env []string) []string {
	t.Helper()
	r.write(t, "temp/script", script, 0o600)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, interpreter[0], append(interpreter[1:], r.path("temp/script"))...)
	cmd.Dir, cmd.Env = r.checkout, slices.Concat(r.env, env)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// real runs a pipeline's runner in the checkout.
func (r *runner) real(t *testing.T, env []string, program string, args ...string) (string, bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = r.checkout, env
	out, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && (!ended || ctx.Err() != nil) {
		t.Fatalf("%s: %v: %s", filepath.Base(program), err, out)
	}
	r.shown.Write(out)
	return string(out), err == nil
}

// recipeText returns a recipe as it stands.
func recipeText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "ci", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// says logs a line of a program.
func (r *runner) says(line string) {
	r.log.WriteString(line + "\n")
	r.tells(line)
}

// tells logs a line of the runner itself.
func (r *runner) tells(line string) {
	for _, mask := range r.masks {
		if mask != "" {
			line = strings.ReplaceAll(line, mask, "***")
		}
	}
	r.shown.WriteString(line + "\n")
}

// leaks returns the lines with a secret among those that may have none.
func (r *runner) leaks(text string, may func(line string) bool) []string {
	var list []string
	for line := range strings.Lines(text) {
		holds := func(secret string) bool { return strings.Contains(line, secret) }
		if slices.ContainsFunc(r.server.IssuedSecrets(), holds) && (may == nil || !may(line)) {
			list = append(list, line)
		}
	}
	return list
}

// wantHidden requires that no secret is in the log: not in what a reader sees and, but for the lines that tell the
// runner what to hide, not in what the programs wrote.
func (r *runner) wantHidden(t *testing.T, may func(line string) bool) {
	t.Helper()
	if list := r.leaks(r.shown.String(), nil); len(list) > 0 {
		t.Errorf("the log shows a secret: %q", list)
	}
	if list := r.leaks(r.log.String(), may); len(list) > 0 {
		t.Errorf("a secret is written to the log: %q", list)
	}
}

// wantHandedOver requires that the programs of the recipe got tokens of the service.
func (r *runner) wantHandedOver(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		token, err := os.ReadFile(filepath.Join(r.temp, name))
		if err != nil {
			t.Errorf("nothing was %s: %v", name, err)
		} else if !slices.Contains(r.server.IssuedSecrets(), string(token)) {
			t.Errorf("what was %s is no token of the service: %d bytes", name, len(token))
		}
	}
}

// entries returns a map as entries of an environment.
func entries(values map[string]string, fill func(string) string) []string {
	var list []string
	for name, value := range values {
		list = append(list, name+"="+fill(value))
	}
	slices.Sort(list)
	return list
}
