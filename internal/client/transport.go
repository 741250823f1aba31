package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// Transport returns what requests go through: the proxy of the environment, and for whoever
// wants to be told of each request a trace.
func (l *Local) Transport(ctx context.Context, o Options) (http.RoundTripper, error) {
	roots, err := l.certificates(ctx, o)
	if err != nil {
		return nil, err
	}
	var transport http.RoundTripper = &http.Transport{
		Proxy:                  network.Proxy,
		OnProxyConnectResponse: network.RefusedByProxy,
		DialContext:            network.Orderly((&net.Dialer{Timeout: 10 * time.Second}).DialContext),
		TLSHandshakeTimeout:    10 * time.Second,
		// One request a connection: what comes behind an answer would be printed by net/http.
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
	}
	if o.Trace != nil {
		transport = &network.Trace{Base: transport, Log: o.Trace, Now: l.Now}
	}
	return transport, nil
}

// route is what decides on the way to a service and whom to trust there, beside the
// profile: a refusal by one proxy is not the answer of another.
func (l *Local) route(caFile string) []string {
	words := []string{caFile}
	if info, err := os.Stat(caFile); err == nil {
		words = append(words, fmt.Sprint(info.Size(), info.ModTime()))
	}
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"} {
		words = append(words, l.LookupEnv.Raw(name), l.LookupEnv.Raw(strings.ToLower(name)))
	}
	return words
}

// maxCertificates bounds the file of --ca-file; all that a system trusts has some 250 KB.
const maxCertificates = 16 << 20

// certificates returns the system's roots and those of a PEM file; nil, which means the
// system's, without a file.
func (l *Local) certificates(ctx context.Context, o Options) (*x509.CertPool, error) {
	if o.CAFile == "" {
		return nil, nil
	}
	path, err := config.Path(l.LookupEnv, "--ca-file", o.CAFile)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, l.Timeout(o.Timeout))
	defer cancel()
	text, err := files.Read(ctx, path, files.Rule{Trust: l.Trust(), Limit: maxCertificates, Pipe: true})
	if err == nil {
		text, err = files.Text(text)
	}
	if err != nil {
		return nil, badCAFile(path, err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, &setting.Error{Name: "--ca-file", Problem: path + " holds no PEM certificate"}
	}
	return roots, nil
}

// badCAFile says what is wrong with the file of --ca-file: who can change it decides whom
// the secret is sent to.
func badCAFile(path string, err error) error {
	e := &setting.Error{Name: "--ca-file", Problem: fmt.Sprintf("cannot be read: %v", err), Err: err}
	if unfit, ok := errors.AsType[*files.Error](err); ok {
		e.Problem, e.Help = secret.Printable(path)+" "+unfit.Problem, unfit.Remedy
	}
	if errors.Is(err, context.DeadlineExceeded) {
		e.Problem = secret.Printable(path) + " is a pipe, and nobody wrote to it in time"
	}
	return e
}
