//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A subject is one program that is measured.
type subject struct {
	name string
	// note says how it was set up where that is not plain.
	note string
	argv []string
	env  []string
	// stdin is the file that it reads; empty is none.
	stdin string
	// size is what its row varies in: profiles, bytes of a token, processes. 0 where nothing varies.
	size int
	// every is how many rounds pass from one start to the next; 0 means 1. Slow programs need not be in each.
	every int
	// before runs ahead of each start and is not timed; nil does nothing.
	before func(context.Context) error
	// check looks at the output of a rehearsal, so that no error message is measured; nil wants an exit code of 0 only.
	check func(output string) error
}

// rehearse runs a subject some times and looks at what it prints.
func (s subject) rehearse(ctx context.Context, times int) error {
	for range times {
		if err := s.prepare(ctx); err != nil {
			return err
		}
		cmd, done, err := s.command(ctx, s.argv...)
		if err != nil {
			return err
		}
		output, err := captured(cmd)
		done()
		if err == nil && s.check != nil {
			err = s.check(output)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (s subject) prepare(ctx context.Context) error {
	if s.before == nil {
		return nil
	}
	if err := s.before(ctx); err != nil {
		return fmt.Errorf("preparing %s: %w", s.name, err)
	}
	return nil
}

// command is a program with the subject's environment and stdin; done closes the latter.
func (s subject) command(ctx context.Context, argv ...string) (cmd *exec.Cmd, done func(), err error) {
	cmd = exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = s.env
	if s.stdin == "" {
		return cmd, func() {}, nil
	}
	in, err := os.Open(s.stdin)
	if err != nil {
		return nil, nil, err
	}
	cmd.Stdin = in
	return cmd, func() { _ = in.Close() }, nil
}

// timed runs a subject once, from before the fork to after the wait, with its output thrown away.
func (s subject) timed(ctx context.Context) (time.Duration, error) {
	if err := s.prepare(ctx); err != nil {
		return 0, err
	}
	cmd, done, err := s.command(ctx, s.argv...)
	if err != nil {
		return 0, err
	}
	defer done()
	begin := time.Now()
	err = cmd.Run()
	took := time.Since(begin)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", s.name, err)
	}
	return took, nil
}

// use is what one run took of the machine.
type use struct {
	peak   int64 // the most memory that was resident, in KiB
	faults int64 // pages that had to be mapped
}

// uses runs a subject n times by the program at runner, and returns what each run took.
func (s subject) uses(ctx context.Context, runner string, n int) ([]use, error) {
	batch := n
	if s.before != nil {
		batch = 1
	}
	var all []use
	for len(all) < n {
		if err := s.prepare(ctx); err != nil {
			return nil, err
		}
		argv := append([]string{runner, strconv.Itoa(batch), s.stdin}, s.argv...)
		cmd, done, err := s.command(ctx, argv...)
		if err != nil {
			return nil, err
		}
		output, err := captured(cmd)
		done()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		for line := range strings.Lines(output) {
			var u use
			if _, err := fmt.Sscan(line, &u.peak, &u.faults); err != nil {
				return nil, fmt.Errorf("reading what %s used: %w", s.name, err)
			}
			all = append(all, u)
		}
	}
	return all, nil
}

// capture runs a program and returns its stdout; a failure tells what it wrote on stderr.
func capture(ctx context.Context, env []string, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = env
	return captured(cmd)
}

func captured(cmd *exec.Cmd) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("running %s: %w: %s", cmd.Path, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

func notEmpty(output string) error {
	if strings.TrimSpace(output) == "" {
		return errors.New("it printed nothing")
	}
	return nil
}
