package cli

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/setting"
	"github.com/spf13/cobra"
)

// doctorTimeout bounds an examination that is told no other time.
const doctorTimeout = 10 * time.Second

// The states of a check.
const (
	stateOK      = "ok"
	stateWarning = "warning"
	stateFailed  = "failed"
)

// The sections of the report, in its order.
const (
	sectionVersion = "version"
	sectionConfig  = "configuration"
	sectionStore   = "store"
	sectionLocks   = "locks"
	sectionNetwork = "network"
	sectionClock   = "clock"
)

// check is a line of the report. It holds no secret.
type check struct {
	Section string `json:"section"`
	Name    string `json:"name"`
	Profile string `json:"profile"`
	State   string `json:"state"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	// kind is that of the error a command would end with, for what failed.
	kind string
}

// doctorOptions are the flags of `doctor`.
type doctorOptions struct {
	verb.Profile
	verb.Store
	output  verb.Output
	timeout verb.Duration
	online  bool
	caFile  string
}

func (a *app) doctor() *cobra.Command {
	o := &doctorOptions{}
	command := &cobra.Command{
		Use:   "doctor [PROFILE]",
		Short: "Check what works here: configuration, store, locks, clock, services",
		Long: `Check what works here, and say what to do about what does not. Without PROFILE every
profile is checked.

No token is asked for, no secret is shown or sent, no command of a profile is run and
no person is asked. Without --online the network is not used. With it each host of a
profile, for tokens, logins or the API, is sent one HEAD request without credentials,
for its certificate and its clock. The store is tried with a record that is removed
again.

The report is the answer: it is on stdout also when a check failed. The exit code is 0
when none did, warnings or not, else that of what has to be mended first:
configuration (3), then the store or its locks (7), then what may be over by itself (8).`,
		Example: `  authctl doctor
  authctl doctor calls --online
  authctl doctor -o json | jq '.checks[] | select(.state != "ok")'`,
		Args: verb.Arguments(0, 1, "PROFILE"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.Begin(&o.output); err != nil {
				return err
			}
			return a.runDoctor(a.Watched(command.Context()), o, args)
		},
		ValidArgsFunction: a.CompleteProfile,
	}
	flags := command.Flags()
	o.Profile.Bind(flags)
	o.Store.Bind(flags)
	o.output.Bind(flags, "text", "json")
	flags.BoolVar(&o.online, "online", false, "also check each service's reachability and TLS, and the clock against it")
	flags.Var(&o.timeout, "timeout", "how long the whole examination may take (AUTHCTL_TIMEOUT; default 10s)")
	flags.StringVar(&o.caFile, "ca-file", "", "trust the certificates in this PEM `file` too")
	return command
}

func (a *app) runDoctor(ctx context.Context, o *doctorOptions, args []string) error {
	name, err := o.Choose(args)
	if err != nil {
		return err
	}
	if o.timeout.Given != nil && *o.timeout.Given == 0 {
		return verb.Usagef("--timeout 0 leaves no time")
	}
	if config.MayBeShown(name) {
		a.Subject.Profile = name
	}
	e := &examination{app: a, options: o, named: name}
	if err := e.run(ctx); err != nil {
		return err
	}
	if err := a.printReport(&o.output, e.checks, o.online); err != nil {
		return err
	}
	return e.verdict()
}

// examination is one run of the doctor.
type examination struct {
	app     *app
	options *doctorOptions
	setup   *client.Local
	// named is the profile that is asked for, empty for all.
	named string
	// patients are the profiles that can be used.
	patients []patient
	// settings are those of the profile that is looked at, for hints.
	settings setting.Names
	checks   []check
}

// run makes every check there is. The error is one of the command line's.
func (e *examination) run(ctx context.Context) error {
	e.version()
	setup, err := e.app.Local()
	if err != nil {
		// Without the environment nobody knows which file and which store are meant.
		e.fail(check{Section: sectionConfig, Name: "environment"}, err)
		return nil
	}
	e.setup = setup
	// Nobody is waited for here, so the keyring has no more time than it has in a script.
	setup.Keyring.Timeout = 0
	limit := cmp.Or(setup.Env.Timeout, doctorTimeout)
	if given := e.options.timeout.Given; given != nil {
		limit = *given
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	keyring := &carefulKeyring{keyring: setup.Keyring}
	setup.Fetcher().Keyring = keyring
	e.configuration(ctx)
	if err := e.store(ctx, keyring); err != nil {
		return err
	}
	e.locks(ctx)
	if e.options.online {
		e.network(ctx, limit)
	}
	if cause := context.Cause(e.app.Context()); cause != nil {
		return cause
	}
	return nil
}

func (e *examination) version() {
	e.ok(check{
		Section: sectionVersion, Name: "authctl",
		Message: fmt.Sprintf("%s, %s, %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH),
	})
}

func (e *examination) ok(c check) { e.note(stateOK, c) }

func (e *examination) warn(c check) { e.note(stateWarning, c) }

func (e *examination) note(state string, c check) {
	c.State = state
	e.checks = append(e.checks, c)
}

// fail notes a check that found err. What it says beside the message is what a
// command that meets the error would say.
func (e *examination) fail(c check, err error) {
	kind, hint := verb.Judge(err)
	c.kind, c.Message, c.Hint = cmp.Or(c.kind, kind), err.Error(), e.settings.In(cmp.Or(c.Hint, hint))
	e.note(stateFailed, c)
}

// verdict returns nil when nothing failed, else an error of the kind that has to
// be mended first: nothing works without a configuration, and without the network what
// is stored still does.
func (e *examination) verdict() error {
	found := map[string]int{}
	for _, c := range e.checks {
		if c.State == stateFailed {
			found[c.kind]++
			found[""]++
		}
	}
	if found[""] == 0 {
		return nil
	}
	worst := "internal"
	for _, kind := range []string{"temporary", "protocol", "store", "config"} {
		if found[kind] > 0 {
			worst = kind
		}
	}
	return &verb.Error{
		Kind: worst, Message: fmt.Sprintf("%d of %d checks failed", found[""], len(e.checks)),
		Hint: "each check that failed says what to do",
	}
}
