package providers

import "time"

// Reason is why a service gave no token. It is what the exit code follows, and
// it is stable: it is stored to share a failure between processes.
type Reason string

// The reasons.
const (
	// ReasonCredentials: the service refused the client or the user.
	ReasonCredentials Reason = "credentials"
	// ReasonLogin: a person has to log in first.
	ReasonLogin Reason = "login"
	// ReasonScope: a scope was refused.
	ReasonScope Reason = "scope"
	// ReasonConfig: the service does not know what the profile names (realm,
	// path, grant), or what stands in front of it does not get better by waiting.
	ReasonConfig Reason = "config"
	// ReasonTemporary: network, timeout, 408, 429, 5xx.
	ReasonTemporary Reason = "temporary"
	// ReasonProtocol: the reply cannot be used.
	ReasonProtocol Reason = "protocol"
)

// Failure is how asking a service ended when no token came of it. Its text holds
// no secret, no header and no reply body; remote words in it are quoted, one
// line and short.
type Failure struct {
	Reason Reason
	// Message is the whole sentence for people, lower case.
	Message string
	// Hint says what to do next; empty means the reason's usual hint.
	Hint string
	// NotBefore is when asking again makes sense (Retry-After), zero when unknown.
	NotBefore time.Time
	// Throttled says that the service wants to be asked less often.
	Throttled bool
	// Ambiguous says that the request may have been carried out although no
	// usable answer came: it must not be repeated if it spends something.
	Ambiguous bool
	// StaleToken says that an access token was shown and is what was refused, so that a
	// new one may help.
	StaleToken bool
	// AccessToken says that an access token was shown and is what was refused.
	AccessToken bool
	// RefreshToken says that a refresh token was shown, which may be what was refused.
	RefreshToken bool
	// Client says that the client's own credentials are what was refused.
	Client bool
	// Err is the cause, nil when the failure was another process's.
	Err error
}

// Error returns the message.
func (f *Failure) Error() string { return f.Message }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }
