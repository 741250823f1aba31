package oauth

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync/atomic"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/secret"
)

// Presenter is what a TLS connection asks for the client's certificate, as
// tls.Config.GetClientCertificate.
type Presenter func(*tls.CertificateRequestInfo) (*tls.Certificate, error)

// TLS authenticates the client with the certificate of its connection (RFC 8705 §2): one
// that the service's authorities have issued (tls_client_auth), or one that it knows the key
// of (self_signed_tls_client_auth). It is sent in the same way.
type TLS struct {
	// ClientID is sent in the form (RFC 8705 §2).
	ClientID string
	// SelfSigned is for self_signed_tls_client_auth.
	SelfSigned bool
	// Certificate fetches the certificate, its chain and its key.
	Certificate func(context.Context) (*tls.Certificate, error)
}

// Method returns "tls_client_auth" or "self_signed_tls_client_auth".
func (t TLS) Method() string {
	if t.SelfSigned {
		return "self_signed_tls_client_auth"
	}
	return "tls_client_auth"
}

func (t TLS) apply(ctx context.Context, d *draft) error {
	if err := d.onlyCredentials(); err != nil {
		return err
	}
	if d.endpoint.Scheme != "https" {
		return &RequestError{
			Problem: "a certificate cannot be shown over plain http", Hint: "give the endpoint as https, or another client_auth",
		}
	}
	certificate, err := t.Certificate(ctx)
	switch {
	case err != nil && d.dry != nil && ctx.Err() == nil:
		d.certificate = &shownCertificate{lack: err.Error()}
	case err != nil:
		return err
	default:
		d.certificate = &shownCertificate{certificate: certificate}
		if problem := network.CertificateProblem(certificate.Leaf, d.now()); problem != "" {
			return &RequestError{
				Problem: "the client's certificate " + problem,
				Hint: "give tls_certificate a renewed one; this machine's clock says " + moment.Text(d.now()) +
					", set it if that is wrong",
			}
		}
	}
	return d.setClientID(t.ClientID)
}

// shownCertificate is the certificate of one request.
type shownCertificate struct {
	certificate *tls.Certificate
	// lack says why a dry run does without the certificate; empty where it is there.
	lack string
	// asked says that the service has asked for it.
	asked atomic.Bool
}

// present is the Presenter. It shows the certificate whatever authorities the service names:
// one that it does not accept is better refused than missed.
func (s *shownCertificate) present(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	s.asked.Store(true)
	return s.certificate, nil
}

// wasAsked reports whether there is a certificate and the service has asked for it.
func (s *shownCertificate) wasAsked() bool { return s != nil && s.asked.Load() }

// text shows the certificate by what the service knows it by.
func (s *shownCertificate) text() string {
	if s.lack != "" {
		return "[certificate not fetched: " + secret.Printable(s.lack) + "]"
	}
	return "[" + network.CertificateText(s.certificate) + "]"
}

// transport is what the request goes through: with a certificate, a connection of its own.
func (c *Client) transport(d *draft) (http.RoundTripper, error) {
	switch {
	case d.certificate != nil && c.WithCertificate == nil:
		return nil, &RequestError{Problem: "there is no way here to show a certificate"}
	case d.certificate != nil:
		return c.WithCertificate(d.certificate.present), nil
	case c.HTTP != nil && c.HTTP.Transport != nil:
		return c.HTTP.Transport, nil
	}
	return http.DefaultTransport, nil
}
