//go:build !linux

package secretservicetest

import "errors"

func (s *Session) startBus() error { return errors.ErrUnsupported }

// Restart is not supported here.
func (s *Session) Restart(string) error { return errors.ErrUnsupported }

// Lock is not supported here.
func (s *Session) Lock(...string) error { return errors.ErrUnsupported }

// AddCollection is not supported here.
func (s *Session) AddCollection(string) error { return errors.ErrUnsupported }

// SetDefault is not supported here.
func (s *Session) SetDefault(string) error { return errors.ErrUnsupported }

// StopBus does nothing here.
func (s *Session) StopBus() {}
