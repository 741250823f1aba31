package shared

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/authctl/authctl/internal/store"
	"github.com/redis/go-redis/v9"
)

// elsewhere ends every hint: nothing has to wait until the engine is mended.
const elsewhere = "; or use a store of this machine: AUTHCTL_STORE, --store"

// refusal is what an answer of the engine means that begins with a code.
type refusal struct {
	code    string
	problem store.Problem
	means   string
	hint    string
}

// wrongPassword is what an engine answers to who gives one.
const wrongPassword = "WRONGPASS"

// refusals are looked through in order: of what begins alike, the longer comes first.
func refusals() []refusal {
	const credentials = "see that store_password is that of the user in the address, redis://USER@HOST"
	return []refusal{
		{
			"NOAUTH", store.Refused, "it wants a password",
			"give a reference to it: store_password: env:NAME, and the user in the address",
		},
		{wrongPassword, store.Refused, "it does not know this user with this password", credentials},
		{"ERR invalid password", store.Refused, "it does not know this password", credentials},
		{"ERR AUTH", store.Refused, "it has no such user, or no password", credentials + ", or leave both out"},
		{"ERR Client sent AUTH", store.Refused, "it has no password", "leave store_password out"},
		{
			"NOPERM", store.Refused, "its user may not do this",
			"give the user the rights that docs/fleets.md lists (ACL SETUSER)",
		},
		{
			"READONLY", store.Refused, "it is a replica, which takes no writes",
			"give the master's address, or the sentinels' with master_name=NAME",
		},
		{"LOADING", store.Unreachable, "it is loading what it keeps", "try again when it has started"},
		{"MASTERDOWN", store.Unreachable, "it is a replica that has lost its master", "give the master's address"},
		{"MOVED", store.Refused, "it is a node of a cluster", "add cluster=true to the address"},
		{"ASK", store.Refused, "it is a node of a cluster", "add cluster=true to the address"},
		{"CROSSSLOT", store.Refused, "it is a node of a cluster", "add cluster=true to the address"},
		{
			"ERR This instance has cluster support disabled", store.Refused, "it is no cluster",
			"take cluster=true and further hosts out of the address",
		},
		{"CLUSTERDOWN", store.Unreachable, "its cluster is down", "see that all its slots are served"},
		{"TRYAGAIN", store.Unreachable, "its cluster moves these keys", "try again when that is done"},
		{
			"OOM", store.Refused, "its memory is full",
			"raise its maxmemory, or let it evict: maxmemory-policy volatile-ttl",
		},
		{"MISCONF", store.Refused, "it cannot write to its disk and takes no writes", "see its log"},
		{"NOREPLICAS", store.Refused, "it has too few replicas and takes no writes", "see min-replicas-to-write"},
		{"BUSY", store.Locked, "it is busy with somebody's script", "try again later"},
		{
			"DENIED", store.Refused, "it takes only connections of its own machine (protected mode)",
			"have it want a password",
		},
		{"ERR max number of clients", store.Unreachable, "it has too many clients", "raise its maxclients"},
		{
			"ERR DB index", store.Refused, "it has no such database",
			"see the number at the end of the address; usually it is 0",
		},
		{
			"ERR unknown command", store.Refused, "it lacks a command that is needed",
			"use Redis 6 or Valkey 7.2, or newer",
		},
		{
			"ERR unknown subcommand", store.Refused, "it lacks a command that is needed",
			"use Redis 6 or Valkey 7.2, or newer",
		},
	}
}

// judge says what a failure of the engine means, and of which engine. What the engine wrote is not repeated: old ones
// repeat commands, with the password in them.
func judge(err error, o Options) *store.UnusableError {
	failure := cause(err, o)
	failure.Hint += "; it is at " + o.Address.String() + elsewhere
	return failure
}

func cause(err error, o Options) *store.UnusableError {
	secured := o.Address.TLS
	if answer, ok := errors.AsType[redis.Error](err); ok && !errors.Is(err, redis.Nil) {
		text := answer.Error()
		if o.Password == nil && strings.HasPrefix(text, wrongPassword) {
			// None was given: what it has refused is what dial has sent in its place.
			return refusedAs("it does not know this user without a password",
				"give a reference to it: store_password: env:NAME, and see that the user in the address is right")
		}
		return refused(text)
	}
	if failure := untrusted(err); failure != nil {
		return failure
	}
	unconnected, dialling := errors.AsType[*unconnectedError](err)
	name, unnamed := errors.AsType[*net.DNSError](err)
	timeout, timed := errors.AsType[net.Error](err)
	slow := errors.Is(err, context.DeadlineExceeded) || timed && timeout.Timeout()
	switch {
	case unnamed && name.IsNotFound:
		return unreachable("its host has no address", "see that the host's name is right")
	case dialling && slow && secured:
		return unreachable("it does not answer",
			"see that it can be reached from here and speaks TLS, or raise connect_timeout in the address")
	case dialling && slow:
		return unreachable("it does not answer",
			"see that it can be reached from here, or raise connect_timeout in the address")
	case dialling && errors.Is(unconnected, syscall.ECONNREFUSED):
		return unreachable("nothing listens there", "see that it runs, and that host and port are right")
	case dialling:
		return unreachable("no connection comes about", "see that it runs and can be reached from here")
	case slow, errors.Is(err, errSlow), errors.Is(err, redis.ErrPoolTimeout):
		failure := unreachable(errSlow.Error(), "raise timeout in the address where it is far away")
		failure.Problem = store.Locked
		return failure
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), timed, errors.Is(err, redis.ErrClosed):
		return unreachable("it has ended the connection", "see that it runs, and write rediss:// if it wants TLS")
	}
	return unreachable("what it answers is not what Redis or Valkey answers", "see that host and port are right")
}

func unreachable(means, hint string) *store.UnusableError {
	return &store.UnusableError{Problem: store.Unreachable, Err: errors.New(means), Hint: hint}
}

func refused(answer string) *store.UnusableError {
	for _, r := range refusals() {
		// Redis 6 puts what a script met behind words of its own, sometimes with its minus.
		if strings.HasPrefix(answer, r.code) || strings.Contains(answer, ": "+r.code+" ") ||
			strings.Contains(answer, ": -"+r.code+" ") {
			return &store.UnusableError{Problem: r.problem, Err: errors.New(r.means), Hint: r.hint}
		}
	}
	return refusedAs("it refuses the command", "see its log")
}

func refusedAs(means, hint string) *store.UnusableError {
	return &store.UnusableError{Problem: store.Refused, Err: errors.New(means), Hint: hint}
}

// untrusted is what is wrong with TLS, nil when nothing is.
func untrusted(err error) *store.UnusableError {
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, other := errors.AsType[x509.HostnameError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	fail := func(means, hint string) *store.UnusableError {
		return &store.UnusableError{Problem: store.Refused, Err: errors.New(means), Hint: hint}
	}
	switch {
	case other:
		return fail("its certificate is another host's", "give the host by the name in its certificate")
	case unknown:
		return fail("its certificate is not trusted", "give the file of its authority: --ca-file")
	case unverified:
		return fail("its certificate is not valid", "see that it has not expired, and the clock of this machine")
	case plain:
		return fail("it does not speak TLS", "write redis:// where nobody else is on the way, or have it speak TLS")
	case isRemoteAlert(err):
		return fail("it refuses the connection in TLS",
			"see that store_tls_certificate and store_tls_key are what it takes")
	}
	return nil
}

// isRemoteAlert reports whether the other side has ended TLS with an alert, which has no type that can be named.
func isRemoteAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}
