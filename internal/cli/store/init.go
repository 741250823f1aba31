package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// setUp is `store init`.
type setUp struct {
	*verb.Deps
	local   *client.Local
	keyFile string
	flag    *pflag.Flag
	output  verb.Output
}

// made is what `store init -o json` prints.
type made struct {
	// Store is file, or redis where a shared store is named.
	Store string `json:"store"`
	// StoreKey is the reference to the key, as it is in the configuration, and KeyFile the
	// path it leads to.
	StoreKey string `json:"store_key"`
	KeyFile  string `json:"key_file"`
	Config   string `json:"config"`
	// KeyMade and ConfigChanged say what was done; both are false where all was there.
	KeyMade       bool `json:"key_made"`
	ConfigChanged bool `json:"config_changed"`
}

func newSetUp(d *verb.Deps) *cobra.Command {
	s := &setUp{Deps: d}
	return d.Command(cobra.Command{
		Use:   "init",
		Short: "Make a key for the file store and write it into the configuration",
		Long: `Make a key for the file store, and write store: file and store_key into the
configuration. From then on tokens are kept in sealed files until they expire, on any
machine and without a variable, in cron and services too. The rest of the
configuration stays as it is; where there is none, one is made. Where a shared store is
named, the key is for that, and the store stays the one it is.

The key is an age identity in a file that only you can read. No key is ever
overwritten, and neither is what the configuration says of the store: then the error
tells what is there and what to do (exit code 3). Where all is set up and the key
opens, nothing is done (exit code 0).

Tokens are not moved from the store that was used before: the next call asks for new
ones, and logins have to be repeated.`,
		Example: `  authctl store init
  authctl store init --key-file /etc/authctl/store.key --config /etc/authctl/config.yaml
  authctl store show`,
	}, verb.Flags{
		Output: &s.output, Formats: []string{"text", "json"}, Own: s.bind, Watched: true,
	}, s.run)
}

func (s *setUp) bind(f *pflag.FlagSet) {
	f.StringVar(&s.keyFile, "key-file", "", "the `file` to put the key into (default store.key beside the configuration)")
	s.flag = f.Lookup("key-file")
}

func (s *setUp) run(ctx context.Context, _ []string) (err error) {
	if s.flag.Changed && files.Tidy(s.keyFile) == "" {
		return verb.Usagef("--key-file is empty")
	}
	if s.local, err = s.Local(); err != nil {
		return err
	}
	s.local.MayBeNew()
	file, err := s.local.File()
	if err == nil {
		err = edit.CheckPlace(file)
	}
	if err != nil {
		return err
	}
	return s.local.Change(ctx, "", func(file *config.File) error {
		p, err := s.plan(file)
		if err != nil {
			return err
		}
		done, err := s.carryOut(ctx, file, p)
		if err != nil {
			return err
		}
		s.warnOfWhatGoesBefore(file, p)
		if s.output.JSON() {
			return s.UI.JSON(done)
		}
		s.tell(done, p)
		return nil
	})
}

// carryOut makes the key and writes the configuration: both or neither.
func (s *setUp) carryOut(ctx context.Context, file *config.File, p plan) (*made, error) {
	done := &made{
		Store: p.name(), StoreKey: p.reference, KeyFile: p.path, Config: file.Path, ConfigChanged: len(p.missing) > 0,
	}
	var err error
	if done.KeyMade, err = s.makeKey(ctx, file, p); err != nil {
		return nil, err
	}
	if err = context.Cause(ctx); err == nil && done.ConfigChanged {
		err = edit.SetTop(file, p.missing...)
	}
	if err != nil && done.KeyMade {
		// It has sealed nothing yet.
		if left := os.Remove(p.path); left != nil {
			s.UI.Warn("the new key " + p.path + " is still there: " + left.Error())
		}
	}
	s.SayIfInterrupted(err, "nothing was written")
	return done, err
}

// makeKey makes the key; one that the configuration names already stays, if it is one.
func (s *setUp) makeKey(ctx context.Context, file *config.File, p plan) (made bool, err error) {
	err = store.MakeIdentity(p.path, s.local.Trust(), s.Now())
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrExist) && p.key.From != "":
		return false, (&store.File{Key: p.key.Fetch, KeyFrom: p.key.From}).CheckKey(ctx)
	case errors.Is(err, fs.ErrExist):
		return false, &setting.Error{
			Path: p.path, Problem: "is there already, and nothing is overwritten",
			Help: "if it is the key to use, write into " + file.Path + ":\nstore: file\nstore_key: " +
				kinds.Scalar(p.reference) + "\nelse name another file with --key-file",
		}
	}
	e := &setting.Error{Path: p.path, Problem: "cannot be written: " + err.Error(), Err: err}
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		e.Problem = "cannot be written: " + cause.Err.Error()
	}
	if unsafe, ok := errors.AsType[*files.Error](err); ok {
		e.Problem, e.Help = unsafe.Problem, unsafe.Remedy
	}
	return false, e
}

// warnOfWhatGoesBefore warns of what has other calls, or this shell's, not see what was written.
func (s *setUp) warnOfWhatGoesBefore(file *config.File, p plan) {
	env := s.local.Env
	if env.Store != "" && env.Store != p.chosen.Text {
		s.UI.Warn("the variable AUTHCTL_STORE is " + stores.Choice{Text: env.Store}.Shown() +
			" here, which goes before the configuration: unset it")
	}
	if from := env.StoreKey.From; from != "" {
		s.UI.Warn("the variable " + from + " gives another key here, which goes before store_key: unset it")
	}
	path, err := filepath.Abs(file.Path)
	if usual := s.usualConfig(); err == nil && files.Followed(path) != files.Followed(usual) {
		s.UI.Warn("this is not the configuration that is found without any variable: in cron and services " +
			"set AUTHCTL_CONFIG to " + path)
	}
}

// usualConfig is where the configuration is for a call that knows nothing but its home.
func (s *setUp) usualConfig() string {
	o := config.Options{Fetcher: &source.Fetcher{Env: func(name string) (string, bool) {
		if name == "AUTHCTL_CONFIG" || name == "XDG_CONFIG_HOME" {
			return "", false
		}
		return s.LookupEnv(name)
	}}}
	path, _, _ := o.Locate()
	return path
}

// tell says for people what was done.
func (s *setUp) tell(done *made, p plan) {
	shared := address.Is(p.chosen.Text)
	switch {
	case done.KeyMade && shared:
		s.UI.Note("a new key is in " + done.KeyFile + ", for you alone: give it to each machine that is to share " +
			p.chosen.Shown() + ", and to nobody else")
	case done.KeyMade:
		s.UI.Note("a new key is in " + done.KeyFile + ", for you alone: whoever has it and the files has the tokens")
	}
	see := "; see: " + s.CommandFor("", "store", "show")
	switch {
	case done.ConfigChanged && shared:
		s.UI.Note("store_key: " + done.StoreKey + " is in " + done.Config + ", for " + p.line() + see)
	case done.ConfigChanged:
		s.UI.Note(p.line() + " and store_key: " + done.StoreKey + " are in " + done.Config + see)
	case !done.KeyMade && shared:
		s.UI.Note("nothing to do: the key in " + done.KeyFile + " opens, for " + p.line())
	case !done.KeyMade:
		s.UI.Note("nothing to do: " + done.Config + " says " + p.line() + ", and the key in " + done.KeyFile + " opens")
	}
	for _, line := range p.before {
		if done.ConfigChanged {
			s.UI.Note("this goes before " + line)
		}
	}
}
