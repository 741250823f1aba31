//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// A peer is a program that hands out a token or a secret that it keeps, as `authctl token get` does.
type peer struct {
	name string
	// program is looked up on PATH, and comes with the Debian package pkg.
	program, pkg string
	// every is subject.every.
	every int
	// set gives it the testbed's token to keep, and says how to ask for it.
	set func(ctx context.Context, b *testbed, program string) (subject, error)
}

// peers lists what is measured beside authctl. scripts/install-test-deps --bench installs them.
func peers() []peer {
	return []peer{
		{name: secretTool, program: "secret-tool", pkg: "libsecret-tools", set: setSecretTool},
		{name: "oidc-token", program: "oidc-token", pkg: "oidc-agent-cli", set: setOIDCToken},
		{
			name: "docker-credential-secretservice get", program: "docker-credential-secretservice",
			pkg: "golang-docker-credential-helpers", set: setDocker,
		},
		{name: "gh auth token", program: "gh", pkg: "gh", set: setGH},
		{name: "keyring get", program: "keyring", pkg: "python3-keyring", every: 4, set: setPythonKeyring},
	}
}

const secretTool = "secret-tool lookup"

// setPeers makes a subject of each peer that is there and keeps the token. The others are noted as not measured.
func (b *testbed) setPeers(ctx context.Context) (subjects []subject) {
	for _, p := range peers() {
		program, err := exec.LookPath(p.program)
		var s subject
		if err == nil {
			s, err = p.set(ctx, b, program)
		}
		if err == nil {
			s.name, s.every, s.check = p.name, p.every, notEmpty
			err = s.rehearse(ctx, 1)
		}
		if err != nil {
			b.lack(p.name, err)
			continue
		}
		subjects = append(subjects, s)
		if version, err := capture(ctx, lab.Environment(), "dpkg-query", "-W", "-f=${Version}", p.pkg); err == nil {
			b.versions = append(b.versions, p.pkg+" "+version)
		}
	}
	return subjects
}

// setSecretTool has secret-tool look for the very record that authctl has stored.
func setSecretTool(_ context.Context, b *testbed, program string) (subject, error) {
	return subject{
		argv: []string{program, "lookup", "service", "authctl", "username", b.digest}, env: b.env("keyring"),
	}, nil
}

// setDocker stores by the helper's own command (docker-credential-helpers, "Development").
func setDocker(ctx context.Context, b *testbed, program string) (subject, error) {
	const server = "https://bench.example"
	entry, err := json.Marshal(map[string]string{"ServerURL": server, "Username": "bench", "Secret": b.token})
	if err != nil {
		return subject{}, err
	}
	in, err := b.file("docker-store", string(entry))
	if err != nil {
		return subject{}, err
	}
	storing := subject{env: b.env("keyring"), stdin: in}
	if err := storing.once(ctx, program, "store"); err != nil {
		return subject{}, err
	}
	asked, err := b.file("docker-get", server)
	return subject{argv: []string{program, "get"}, env: b.env("keyring"), stdin: asked}, err
}

// setPythonKeyring stores by its own command.
func setPythonKeyring(ctx context.Context, b *testbed, program string) (subject, error) {
	in, err := b.file("keyring-set", b.token+"\n") // without the newline it reads nothing
	if err != nil {
		return subject{}, err
	}
	env := append(b.env("keyring"), "PYTHON_KEYRING_BACKEND=keyring.backends.SecretService.Keyring")
	storing := subject{env: env, stdin: in}
	if err := storing.once(ctx, program, "set", "bench", "bench"); err != nil {
		return subject{}, err
	}
	return subject{argv: []string{program, "get", "bench", "bench"}, env: env}, nil
}

// setGH stores a token as `gh auth login` does, which needs the network. Since 2.24 it does so in the keyring; before,
// in its configuration, in plain text.
func setGH(ctx context.Context, b *testbed, program string) (subject, error) {
	config := filepath.Join(b.dir, "gh")
	if err := os.MkdirAll(config, 0o700); err != nil {
		return subject{}, err
	}
	s := subject{argv: []string{program, "auth", "token"}, env: append(b.env("keyring"), "GH_CONFIG_DIR="+config)}
	const host = "github.com:\n    user: bench\n    git_protocol: https\n    users:\n        bench:\n"
	if _, err := b.file("gh/hosts.yml", host); err != nil {
		return subject{}, err
	}
	in, err := b.file("gh-token", b.token)
	if err != nil {
		return subject{}, err
	}
	storing := subject{env: s.env, stdin: in}
	for _, user := range []string{"", "bench"} {
		err := storing.once(ctx, "secret-tool", "store", "--label=gh", "service", "gh:github.com", "username", user)
		if err != nil {
			return subject{}, err
		}
	}
	if storing.once(ctx, s.argv...) == nil {
		s.note = "from the keyring"
		return s, nil
	}
	s.note = "from a plain file: this version has no keyring"
	_, err = b.file("gh/hosts.yml", host+"    oauth_token: "+b.token+"\n")
	return s, err
}

// setOIDCToken starts an agent, and gives it an account that holds a token.
func setOIDCToken(ctx context.Context, b *testbed, program string) (subject, error) {
	issuer, err := b.serveIssuer()
	if err != nil {
		return subject{}, err
	}
	socket := filepath.Join(b.session.Home(), "oidc-agent.sock")
	env := append(b.env("keyring"), "OIDC_SOCK="+socket, "OIDC_ENCRYPTION_PW=not-a-real-password")
	if err := b.daemon(env, "oidc-agent", "--console", "--no-scheme", "--socket-path="+socket); err != nil {
		return subject{}, err
	}
	if err := awaitSocket(ctx, socket); err != nil {
		return subject{}, fmt.Errorf("waiting for oidc-agent: %w", err)
	}
	account := subject{env: env}
	err = account.once(ctx, "oidc-gen", "bench", "--flow=refresh", "--rt=not-a-real-token", "--iss="+issuer,
		"--client-id=bench", "--client-secret=not-a-real-secret", "--scope=openid offline_access", "--pw-env",
		"--prompt=none", "--confirm-yes", "--no-save", "--no-url-call", "--no-webserver", "--no-scheme")
	return subject{argv: []string{program, "bench"}, env: env}, err
}

// once runs a program with the subject's environment and stdin.
func (s subject) once(ctx context.Context, argv ...string) error {
	cmd, done, err := s.command(ctx, argv...)
	if err != nil {
		return err
	}
	defer done()
	_, err = captured(cmd)
	return err
}

// serveIssuer is the least of an OpenID provider that oidc-gen takes: a document, and a token for every refresh token.
func (b *testbed) serveIssuer() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	url := "http://" + listener.Addr().String() + "/"
	document := map[string]any{
		"issuer": url, "authorization_endpoint": url + "auth", "token_endpoint": url + "token", "jwks_uri": url + "jwks",
		"scopes_supported": []string{"openid", "offline_access"}, "response_types_supported": []string{"code"},
		"grant_types_supported": []string{"refresh_token"},
	}
	token := map[string]any{
		"access_token": b.token, "token_type": "Bearer", "expires_in": 12 * 3600,
		"refresh_token": "not-a-real-token", "scope": "openid offline_access",
	}
	mux := http.NewServeMux()
	for path, answer := range map[string]any{"/.well-known/openid-configuration": document, "/token": token} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: lab.Patience}
	go func() { _ = server.Serve(listener) }()
	b.onClose(server.Close)
	return url, nil
}

// daemon starts a program in a process group of its own, which is killed when the testbed is closed, or this program's
// thread dies.
func (b *testbed) daemon(env []string, argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // close ends it
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started, exited := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(exited)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	b.onClose(func() error {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-exited
		return nil
	})
	return nil
}

func awaitSocket(ctx context.Context, path string) error {
	for end := time.Now().Add(lab.Patience); ; {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(end) || errors.Is(err, context.Canceled) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
