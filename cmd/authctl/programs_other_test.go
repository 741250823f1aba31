//go:build !linux

package main

// programs are those that scripts run by their name.
func programs() map[string]func() { return map[string]func(){"authctl": main} }
