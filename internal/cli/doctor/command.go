// Package doctor is the command `doctor`: what works on this machine, and what to do about
// what does not.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usualLimit bounds the checks of a run that is told no other time.
const usualLimit = 10 * time.Second

// doctor is one run of the command.
type doctor struct {
	*verb.Deps
	report
	profile verb.Profile
	store   verb.Store
	trace   verb.Trace
	output  verb.Output
	timeout verb.Duration
	online  bool

	local *client.Local
	// named is the profile that is asked for, empty for all.
	named string
	// usable are the profiles without a mistake.
	usable []usable
}

// Command returns the command `doctor`.
func Command(deps *verb.Deps) *cobra.Command {
	d := &doctor{Deps: deps}
	return d.Command(cobra.Command{
		Use:   "doctor [PROFILE]",
		Short: "Check what works here: configuration, store, locks, clock, services",
		Long: `Check what works here, and say what to do about what does not. Without PROFILE every
profile is checked.

No token is asked for, no secret is shown or sent, no command of a profile is run and
no person is asked. Without --online the network is not used, but for the engine of a
shared store. With it each host of a profile, for tokens, logins or the API, is sent one
HEAD request without credentials, for its certificate and its clock. The store is tried
with a record that is removed again.

The report is the answer: it is on stdout also when a check failed. The exit code is 0
when none did, warnings or not, else that of what has to be mended first:
configuration (3), then the store or its locks (7), then what may be over by itself (8).`,
		Example: `  authctl doctor
  authctl doctor calls --online
  authctl doctor -o json | jq '.checks[] | select(.state != "ok")'`,
	}, verb.Flags{
		Profile: &d.profile, Store: &d.store, Trace: &d.trace, Output: &d.output, Formats: []string{"text", "json"},
		Own: d.bind, Watched: true,
	}, d.run)
}

func (d *doctor) bind(flags *pflag.FlagSet) {
	flags.BoolVar(&d.online, "online", false, "also check each service's reachability and TLS, and the clock against it")
	flags.Var(&d.timeout, "timeout", "how long the whole examination may take (AUTHCTL_TIMEOUT; default 10s)")
}

func (d *doctor) run(ctx context.Context, args []string) error {
	name, err := d.profile.Choose(args)
	if err == nil {
		err = d.timeout.CheckTimeout()
	}
	if err == nil && d.trace.File != "" && !d.online {
		err = verb.Usagef("--trace has nothing to record without --online")
	}
	if err != nil {
		return err
	}
	if config.MayBeShown(name) {
		d.Subject.Profile = name
	}
	d.named = name
	if err := d.checkAll(ctx); err != nil {
		return err
	}
	if d.output.JSON() {
		err = d.printJSON(d.UI)
	} else {
		err = d.print(d.UI, d.online)
	}
	if err != nil {
		return err
	}
	return d.verdict()
}

// checkAll makes every check there is. The error is one of the command line's.
func (d *doctor) checkAll(ctx context.Context) error {
	d.section = "version"
	built := fmt.Sprintf("%s, %s, %s/%s", d.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	d.ok(check{Name: "authctl", Message: built})
	d.section = "configuration"
	local, err := d.Local()
	if err != nil {
		// Without the environment nobody knows which file and which store are meant.
		d.fail(check{Name: "environment"}, err)
		return nil
	}
	d.local = local
	// Nobody is asked or waited for here, so the keyring has no more time than it has in a script.
	local.Keyring.Timeout, local.Keyring.NeverAsk = 0, true
	keyring := &carefulKeyring{keyring: local.Keyring}
	local.Fetcher().Keyring = keyring
	limit := d.timeout.Or(cmp.Or(local.Env.Timeout, usualLimit))
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	d.checkConfiguration(ctx)
	d.section = "store"
	if err := (&storeChecks{d, keyring}).check(ctx); err != nil {
		return err
	}
	d.section = "locks"
	d.checkLocks(ctx)
	if d.online {
		d.section = "network"
		d.checkHosts(ctx, limit)
	}
	return context.Cause(d.Context())
}
