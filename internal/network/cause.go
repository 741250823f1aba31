package network

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
)

// IsDial reports whether no connection could be made, to the service or to
// the proxy before it.
func IsDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// IsNotHTTP reports whether a transport's error is about a reply that cannot be read,
// however often it is asked for: its first line or its header is not HTTP.
func IsNotHTTP(err error) bool {
	if IsBroken(err) {
		return false
	}
	_, quotes := errors.AsType[textproto.ProtocolError](err)
	text := err.Error()
	return quotes || strings.Contains(text, "transport connection broken") ||
		strings.Contains(text, "server response headers exceeded")
}

// IsBroken reports an error of a connection, or of one that was ended from this side: time
// may mend it.
func IsBroken(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.Canceled, http.ErrBodyReadAfterClose} {
		if errors.Is(err, end) {
			return true
		}
	}
	_, ok := errors.AsType[net.Error](err)
	return ok || strings.Contains(err.Error(), "unexpected EOF")
}

// IsUnknownHost reports a name that the resolver says does not exist.
func IsUnknownHost(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}
