//go:build !linux

// Package seccomptest has the kernel refuse its keyrings to a program: on Linux, and for tests only.
package seccomptest
