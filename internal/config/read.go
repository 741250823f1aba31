package config

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// maxConfig bounds a configuration file: some 20,000 profiles.
const maxConfig = 4 << 20

// read reads the text of a file. Without a byte order mark it is what its
// author sees. UTF-16 with a mark stays as it is: YAML has it (YAML 1.2 §5.2).
func (r *reader) read(path string, pipe bool) ([]byte, error) {
	raw, err := r.raw(path, pipe)
	if err != nil {
		return nil, err
	}
	text, err := files.Text(raw)
	if err != nil && files.IsMarkedUTF16(raw) {
		return raw, nil
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	return text, nil
}

// raw refuses a file that others can change, because its references run commands.
func (r *reader) raw(path string, pipe bool) ([]byte, error) {
	if text, ok := r.options.revised[path]; ok {
		return text, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(r.options.Timeout, 30*time.Second))
	defer cancel()
	rule := files.Rule{Trust: r.options.Fetcher.Trust, Limit: maxConfig, Pipe: pipe, Device: true}
	text, err := files.Read(ctx, path, rule)
	if err != nil {
		return nil, unreadable(path, err)
	}
	return text, nil
}

func unreadable(path string, err error) error {
	cause := err
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		cause = pathErr.Err
	}
	e := &setting.Error{Path: path, Problem: "cannot be read: " + cause.Error(), Err: err}
	unfit, isUnfit := errors.AsType[*files.Error](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Problem, e.Help = "does not exist", "create it with: authctl profile add NAME"
	case isUnfit:
		e.Problem, e.Help = unfit.Problem, unfit.Remedy
		if unfit.Path != "" && unfit.Remedy != "" {
			e.Help = "the file can name commands to run; " + unfit.Remedy
		}
	case errors.Is(err, context.DeadlineExceeded):
		e.Problem, e.Help = "is a pipe, and nobody wrote to it in time", "raise --timeout, or name a file"
	}
	return e
}
