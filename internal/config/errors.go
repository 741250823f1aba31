package config

import "errors"

// ErrNoProfile is wrapped by the errors that say that a profile does not exist
// or that none could be chosen.
var ErrNoProfile = errors.New("no such profile")
