package redistest

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// Options are what a server is started with. The zero value is one that takes commands from everybody, keeps all in
// memory and never evicts.
type Options struct {
	// Password is the default user's.
	Password string
	// ACL is the text of an aclfile, one user a line. The tests' own user is added to it.
	ACL string
	// TLS has the server speak nothing else, with an authority made for it. ClientCertificates has it take only clients
	// with a certificate of that authority.
	TLS, ClientCertificates bool
	// ReplicaOf makes it a read-only replica.
	ReplicaOf *Engine
	// MaxMemory and Policy are maxmemory and maxmemory-policy as redis.conf has them.
	MaxMemory, Policy string
	// Persist has it write each change to disk at once, so that a restart finds it again.
	Persist bool
	// Lines are more of redis.conf.
	Lines []string

	// sentinel is what a Sentinel watches; the server is one then.
	sentinel string
}

// credentials are how the tests' own commands log in.
type credentials struct{ user, password string }

// aclUser may do all where the ACL forbids the default user something.
const aclUser = "redistest"

// prepare writes the files that stay the same over restarts.
func (e *Engine) prepare() error {
	if e.options.Password != "" {
		e.admin = credentials{"default", e.options.Password}
	}
	if e.options.ACL != "" {
		e.admin = credentials{aclUser, rand.Text()}
		text := fmt.Sprintf("%s\nuser %s on >%s ~* &* +@all\n", e.options.ACL, aclUser, e.admin.password)
		if err := os.WriteFile(e.file("users.acl"), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if e.options.TLS {
		return e.certify()
	}
	return nil
}

// certify makes an authority, a certificate for the server and one for its clients.
func (e *Engine) certify() error {
	authority := service.NewAuthority()
	client, shown := authority.Client("authctl"), authority.Server()
	leaf, err := x509.ParseCertificate(shown.Certificate[0])
	if err != nil {
		return err
	}
	key, ok := shown.PrivateKey.(crypto.Signer)
	if !ok {
		return errors.New("the key of the server's certificate signs nothing")
	}
	server := service.Certificate{Leaf: leaf, Key: key}
	e.Authority, e.Certificate, e.Key = e.file("authority.pem"), e.file("client.pem"), e.file("client.key")
	for path, text := range map[string]string{
		e.Authority: authority.PEM(), e.Certificate: client.PEM(), e.Key: client.KeyPEM(),
		e.file("server.pem"): server.PEM(), e.file("server.key"): server.KeyPEM(),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeConfig writes redis.conf anew: a Sentinel and a replica change their own.
func (e *Engine) writeConfig() error {
	_, port, err := net.SplitHostPort(e.Host)
	if err != nil {
		return err
	}
	lines := []string{"bind 127.0.0.1", "dir " + e.dir, "logfile redis.log", "loglevel verbose"}
	if e.options.TLS {
		lines = append(lines, "port 0", "tls-port "+port, "tls-cert-file server.pem", "tls-key-file server.key",
			"tls-ca-cert-file authority.pem", "tls-auth-clients "+yes(e.options.ClientCertificates))
	} else {
		lines = append(lines, "port "+port)
	}
	if e.options.sentinel != "" {
		lines = append(lines, e.options.sentinel)
	} else {
		lines = append(lines, e.options.lines()...)
	}
	return os.WriteFile(e.file("redis.conf"), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// lines are those of redis.conf that no Sentinel has.
func (o Options) lines() []string {
	lines := []string{`save ""`, "appendfsync always", "appendonly " + yes(o.Persist), "repl-diskless-sync-delay 0"}
	for name, value := range map[string]string{
		"requirepass": o.Password, "maxmemory": o.MaxMemory, "maxmemory-policy": o.Policy,
	} {
		if value != "" {
			lines = append(lines, name+" "+value)
		}
	}
	if o.ACL != "" {
		lines = append(lines, "aclfile users.acl")
	}
	if o.ReplicaOf != nil {
		lines = append(lines, "replicaof "+strings.Replace(o.ReplicaOf.Host, ":", " ", 1))
	}
	return append(lines, o.Lines...)
}

func yes(so bool) string {
	if so {
		return "yes"
	}
	return "no"
}

// dial connects and logs in.
func (e *Engine) dial() (*conversation, error) {
	plain, err := net.Dial("tcp", e.Host) //nolint:noctx // a deadline follows
	if err != nil {
		return nil, err
	}
	if e.options.TLS {
		secured, err := e.secure(plain)
		if err != nil {
			return nil, errors.Join(err, plain.Close())
		}
		plain = secured
	}
	c := converse(plain)
	if e.admin.password == "" {
		return c, nil
	}
	if _, err := c.do("AUTH", e.admin.user, e.admin.password); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (e *Engine) secure(plain net.Conn) (net.Conn, error) {
	authority, err := os.ReadFile(e.Authority)
	if err != nil {
		return nil, err
	}
	shown, err := tls.LoadX509KeyPair(e.Certificate, e.Key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	return tls.Client(plain, &tls.Config{
		RootCAs: roots, Certificates: []tls.Certificate{shown}, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12,
	}), nil
}
