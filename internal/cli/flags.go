package cli

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/pflag"
)

// globalFlags are on every command.
type globalFlags struct {
	config  string
	color   string
	verbose bool
	quiet   bool
	noInput bool
}

func (f *globalFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.config, "config", "", "the configuration `file` (AUTHCTL_CONFIG)")
	flags.StringVar(&f.color, "color", "auto", "colour: auto, always or never")
	choose(flags, "color", "auto", "always", "never")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "tell each request on stderr, without secrets")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no warnings on stderr")
	flags.BoolVar(&f.noInput, "no-input", false, "never ask a person (AUTHCTL_NO_INPUT; set when CI=true)")
}

// profileFlag names the profile beside the argument.
type profileFlag struct {
	name string
	// flag tells whether it was given, be it empty.
	flag *pflag.Flag
}

func (f *profileFlag) bind(flags *pflag.FlagSet) {
	flags.StringVarP(&f.name, "profile", "p", "", "the `profile` (AUTHCTL_PROFILE)")
	f.flag = flags.Lookup("profile")
}

// choose returns the profile that is asked for, empty when none is named. A name that is
// empty is a script's mistake, and does not mean the default.
func (f *profileFlag) choose(args []string) (string, error) {
	if len(args) > 0 && files.Tidy(args[0]) == "" || f.flag != nil && f.flag.Changed && files.Tidy(f.name) == "" {
		return "", &usageError{
			errors.New("PROFILE is empty"), "see what gives the name; without any it is the default profile",
		}
	}
	if len(args) == 0 {
		return f.name, nil
	}
	if f.name != "" && f.name != args[0] {
		return "", usagef("two profiles are named: one as the argument and another as --profile")
	}
	return args[0], nil
}

// storeFlag chooses where tokens are kept.
type storeFlag struct{ store string }

func (f *storeFlag) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.store, "store", "", "where tokens are kept: auto, keyring, file or memory (AUTHCTL_STORE)")
	choose(flags, "store", "auto", "keyring", "file", "memory")
}

// serviceFlags are on every command that asks a service, as far as they mean something to
// it.
type serviceFlags struct {
	profileFlag
	storeFlag
	scopes       []string
	minTTL       durationFlag
	timeout      durationFlag
	forceRefresh bool
	noCache      bool
	dryRun       bool
	explain      bool
	// override are settings that a command gives itself.
	override map[string]providers.Value
	// prepare changes the profile before it is checked; nil changes nothing.
	prepare func(*config.Profile) error
	caFile  string
}

// bind adds the flags but for those that mean nothing to the command.
func (f *serviceFlags) bind(flags *pflag.FlagSet, without ...string) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.bindAll(all)
	all.VisitAll(func(flag *pflag.Flag) {
		if !slices.Contains(without, flag.Name) {
			flags.AddFlag(flag)
		}
	})
}

// forCachedTokens are the flags that decide whether a token of the store will do: nothing
// to a command that gets none, or takes the one that is there.
func forCachedTokens() []string { return []string{"min-ttl", "force-refresh", "no-cache"} }

func (f *serviceFlags) bindAll(flags *pflag.FlagSet) {
	f.profileFlag.bind(flags)
	f.storeFlag.bind(flags)
	flags.StringArrayVarP(&f.scopes, "scope", "s", nil,
		"a `scope` to ask for instead of the profile's (repeatable; comma or space separated)")
	flags.Var(&f.minTTL, "min-ttl",
		"the life a cached token must have left (AUTHCTL_MIN_TTL; default min(60s, a fifth of its life))")
	flags.Var(&f.timeout, "timeout", "how long the whole call may take (AUTHCTL_TIMEOUT; default 30s)")
	flags.BoolVar(&f.forceRefresh, "force-refresh", false, "pass over the cached token")
	flags.BoolVar(&f.noCache, "no-cache", false, "neither read nor write the cache")
	flags.BoolVar(&f.dryRun, "dry-run", false, "send nothing; print the request, secrets as fingerprints")
	flags.BoolVar(&f.explain, "explain", false, "tell on stderr where each setting came from and what was decided")
	flags.StringVar(&f.caFile, "ca-file", "", "trust the certificates in this PEM `file` too")
}

// durationFlag is a duration of zero or more that knows whether it was given.
type durationFlag struct {
	value time.Duration
	set   bool
}

// Set parses what was given; see pflag.Value.
func (f *durationFlag) Set(text string) error {
	d, err := config.ParseDuration(text)
	if err != nil {
		return err
	}
	f.value, f.set = d, true
	return nil
}

// String returns nothing for a flag that was not given; see pflag.Value.
func (f *durationFlag) String() string {
	if !f.set {
		return ""
	}
	return f.value.String()
}

// Type names the value in help; see pflag.Value.
func (f *durationFlag) Type() string { return "duration" }

// scopeList returns the scopes of --scope, nil when it is not given.
func (f *serviceFlags) scopeList() []string {
	if len(f.scopes) == 0 {
		return nil
	}
	return config.Words(strings.Join(f.scopes, " "))
}

// outputFlag is --output with the formats a command has.
type outputFlag struct {
	format  string
	formats []string
}

func (f *outputFlag) bind(flags *pflag.FlagSet, formats ...string) {
	f.formats = formats
	flags.StringVarP(&f.format, "output", "o", formats[0], "the output `format`: "+strings.Join(formats, ", "))
	choose(flags, "output", formats...)
}

// check returns a usage error for a format that the command does not have.
func (f *outputFlag) check() error {
	if slices.Contains(f.formats, f.format) {
		return nil
	}
	return usagef("--output %q is not one of %s", f.format, strings.Join(f.formats, ", "))
}

func (f *outputFlag) json() bool { return f.format == "json" }
