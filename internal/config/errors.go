package config

import "errors"

// ErrNoProfile is wrapped by the errors that say that a profile does not exist
// or that none could be chosen.
var ErrNoProfile = errors.New("no such profile")

// ErrNotReference is wrapped by the error of a secret that is given as something
// else than a reference: it may be the secret itself, in plain text.
var ErrNotReference = errors.New("not a reference to a secret")
