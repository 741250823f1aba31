//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/authctl/authctl/bench/lab"
)

// A hop is a way to the upstream.
type hop struct{ name, url string }

// stand is the upstream and all the ways to it.
type stand struct {
	dir     string
	hops    []hop
	sandbox *lab.Sandbox
	ends    []func()
}

// roleVariable has this program play a part instead of measuring, whose upstream is in the variable after it.
const (
	roleVariable     = "BENCH_PROXY_ROLE"
	upstreamVariable = "BENCH_PROXY_UPSTREAM"
)

// play is a server of its own until it is killed. The first line it writes is its address.
func play(role string) error {
	handler := http.Handler(http.HandlerFunc(answer))
	if role == "bare" {
		to, err := url.Parse(os.Getenv(upstreamVariable))
		if err != nil {
			return err
		}
		handler = &httputil.ReverseProxy{
			Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
			Transport: &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true},
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(os.Stdout, "at http://%s\n", listener.Addr())
	return http.Serve(listener, handler)
}

// answer is the upstream: a kibibyte of JSON.
func answer(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(append([]byte(`{"text":"`), bytes.Repeat([]byte("x"), 1012)...), `"}`...))
}

func newStand(ctx context.Context, o options) (_ *stand, err error) {
	s := &stand{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "authctl-bench-proxy-"); err != nil {
		return nil, err
	}
	upstream, err := s.self("upstream", "")
	if err != nil {
		return nil, err
	}
	s.hops = append(s.hops, hop{"the upstream itself", upstream})
	bare, err := s.self("bare", upstream)
	if err != nil {
		return nil, err
	}
	s.hops = append(s.hops, hop{"a bare ReverseProxy", bare})
	own, err := s.authctl(ctx, o, upstream)
	if err != nil {
		return nil, err
	}
	s.hops = append(s.hops, hop{"authctl proxy", own})
	nginx, err := s.nginx(ctx, upstream)
	if err != nil {
		return nil, err
	}
	s.hops = append(s.hops, hop{"nginx", nginx})
	return s, nil
}

func (s *stand) self(role, upstream string) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(program) //nolint:noctx // close kills it
	cmd.Env = append(lab.Environment(), roleVariable+"="+role, upstreamVariable+"="+upstream)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	return s.start(cmd, out, "at ")
}

// authctl is the program with a token of a sandbox.
func (s *stand) authctl(ctx context.Context, o options, upstream string) (string, error) {
	program, err := lab.BuildAuthctl(ctx, s.dir, o.authctl)
	if err != nil {
		return "", err
	}
	home := []string{"HOME=" + s.dir, "AUTHCTL_RUNTIME_DIR=" + filepath.Join(s.dir, "run")}
	if s.sandbox, err = lab.StartSandbox(program, s.dir, home); err != nil {
		return "", fmt.Errorf("starting the sandbox: %w", err)
	}
	host := strings.TrimPrefix(upstream, "http://")
	args := []string{"proxy", "qmatic", "--to", upstream, "--allow-host", host}
	cmd := exec.Command(program, args...) //nolint:noctx // close kills it
	cmd.Env = append(append(lab.Environment(), home...), "AUTHCTL_CONFIG="+s.sandbox.Config, "AUTHCTL_STORE=memory")
	out, err := cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	return s.start(cmd, out, "proxy ready at ")
}

// start starts a server that says where it is, behind a mark.
func (s *stand) start(cmd *exec.Cmd, out io.Reader, mark string) (string, error) {
	if err := cmd.Start(); err != nil {
		return "", err
	}
	s.ends = append(s.ends, func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, at, ok := strings.Cut(lines.Text(), mark); ok {
			return strings.TrimSpace(at), nil
		}
	}
	return "", errors.New(filepath.Base(cmd.Path) + " ended before it was ready")
}

// nginx is set up as its documentation has it for an upstream with keep-alive, without a log, one process a CPU.
const nginxConfig = `daemon off; worker_processes auto; pid %[1]s/nginx.pid; error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  keepalive_requests 1000000;
  upstream api { server %[2]s; keepalive 256; keepalive_requests 1000000; }
  server {
    listen %[3]s;
    location / {
      proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer fake";
    }
  }
}
`

func (s *stand) nginx(ctx context.Context, upstream string) (string, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		return "", fmt.Errorf("%w: scripts/install-test-deps --bench installs it", err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	at := free.Addr().String()
	if err := free.Close(); err != nil {
		return "", err
	}
	path := filepath.Join(s.dir, "nginx.conf")
	config := fmt.Sprintf(nginxConfig, s.dir, strings.TrimPrefix(upstream, "http://"), at)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return "", err
	}
	cmd := exec.Command(program, "-c", path, "-p", s.dir) //nolint:noctx // close ends it
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", err
	}
	s.ends = append(s.ends, func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	for end := time.Now().Add(lab.Patience); time.Now().Before(end) && ctx.Err() == nil; {
		conn, err := net.Dial("tcp", at) //nolint:noctx // loopback
		if err == nil {
			return "http://" + at, conn.Close()
		}
	}
	return "", errors.New("nginx does not listen")
}

func (s *stand) close() {
	for _, end := range s.ends {
		end()
	}
	if s.sandbox != nil {
		_ = s.sandbox.Close()
	}
	_ = os.RemoveAll(s.dir)
}
