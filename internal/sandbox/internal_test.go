package sandbox

import (
	"crypto/ecdsa"
	"slices"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// What the tests know of the inside.
const (
	formType      = service.FormType
	redacted      = service.Redacted
	maxForm       = 64 << 10
	maxKept       = 10_000
	codeLife      = time.Minute
	signInLife    = 10 * time.Minute
	genesysAPIKey = Marker + "-genesys-api-key"
	janesID       = "5f0c0de0cafe000000000101"
	contactCenter = "7c5d0a3e-0000-4000-8000-5a6dbc0c0001"
	environment   = "7c5d0a3e-0000-4000-8000-5a6dbc0e0001"
	janesSubject  = "7c5d0a3e-0000-4000-8000-5a6dbc050001"
)

// issued is what Qmatic and Genesys remember of a token.
func issued(s *Server, name, token string) service.Token {
	i := slices.IndexFunc(s.services, func(svc *service.Service) bool { return svc.Name == name })
	x := &service.Exchange{Service: s.services[i], Now: s.opts.Now()}
	t, _ := x.Find(token)
	return t
}

type signer = service.Signer

func newKey() *ecdsa.PrivateKey { return service.NewKey() }
