package verb

import (
	"errors"

	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/har"
	"github.com/spf13/pflag"
)

// Trace is the flag of a command that asks a service.
type Trace struct {
	// File is where each request is recorded, empty for nowhere.
	File string
}

func (f *Trace) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.File, "trace", "",
		"record each request in this new HAR `file` for a service's support, without secrets")
}

// record begins the record of --trace, before anything is asked.
func record(d *Deps, f *Trace, dryRun bool) error {
	switch {
	case f.File == "":
		return nil
	case dryRun:
		return Usagef("--trace has nothing to record: --dry-run sends nothing")
	case f.File == "-":
		return Usagef("--trace - would put the record into the answer: name a file")
	}
	path, err := config.Path(d.LookupEnv, "--trace", f.File)
	if err != nil {
		return &Error{Kind: "usage", Err: err}
	}
	d.recorder, err = har.Create(path, d.Version)
	if wrong, ok := errors.AsType[*har.PathError](err); ok {
		return &Error{Kind: "usage", Message: "--trace: " + path + " " + wrong.Problem, Hint: wrong.Help, Err: err}
	}
	if err == nil {
		d.recorder.Warn = d.UI.Warn
	}
	return err
}

// endRecord ends it, and takes away one with nothing in it.
func endRecord(d *Deps) {
	if d.recorder == nil {
		return
	}
	if d.recorder.Close() == 0 && !d.failed {
		d.UI.Warn("nothing was asked, so --trace has no file: a token from the cache needs no request, --force-refresh does")
	}
	d.recorder = nil
}

// Asking completes options of a client with who asks, and with those who are told of each request.
func (d *Deps) Asking(o client.Options) client.Options {
	o.UserAgent, o.Recorder = "authctl/"+d.Version, d.recorder
	if d.Global.Verbose {
		o.Trace = d.UI.Trace
	}
	return o
}
