package verb

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/pflag"
)

// Global are on every command.
type Global struct {
	Config  string
	Color   string
	Verbose bool
	Quiet   bool
	NoInput bool
}

// Bind adds the flags.
func (f *Global) Bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.Config, "config", "", "the configuration `file` (AUTHCTL_CONFIG)")
	flags.StringVar(&f.Color, "color", "auto", "colour: auto, always or never")
	Choose(flags, "color", "auto", "always", "never")
	flags.BoolVarP(&f.Verbose, "verbose", "v", false, "tell each request on stderr, without secrets")
	flags.BoolVarP(&f.Quiet, "quiet", "q", false, "no warnings on stderr")
	flags.BoolVar(&f.NoInput, "no-input", false, "never ask a person (AUTHCTL_NO_INPUT; set when CI=true)")
}

// Profile names the profile beside the argument.
type Profile struct {
	Name string
	// flag tells whether it was given, be it empty.
	flag *pflag.Flag
}

func (f *Profile) bind(flags *pflag.FlagSet) {
	flags.StringVarP(&f.Name, "profile", "p", "", "the `profile` (AUTHCTL_PROFILE)")
	f.flag = flags.Lookup("profile")
}

// Choose returns the profile that is asked for, empty when none is named. A name that is
// empty is a script's mistake, and does not mean the default.
func (f *Profile) Choose(args []string) (string, error) {
	if len(args) > 0 && files.Tidy(args[0]) == "" || f.flag != nil && f.flag.Changed && files.Tidy(f.Name) == "" {
		return "", &Error{
			Kind: "usage", Message: "PROFILE is empty", Hint: "see what gives the name; without any it is the default profile",
		}
	}
	if len(args) == 0 {
		return f.Name, nil
	}
	if f.Name != "" && f.Name != args[0] {
		return "", Usagef("two profiles are named: one as the argument and another as --profile")
	}
	return args[0], nil
}

// Store chooses where tokens are kept.
type Store struct {
	// Name is one of stores.Names or the address of a shared store, empty for that of the
	// environment or the configuration.
	Name string
	// CAFile names a file of certificates to trust beside the system's, for the engine of a shared
	// store as for services.
	CAFile string
}

func (f *Store) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.Name, "store", "",
		"where tokens are kept: "+strings.Join(stores.Names(), ", ")+", redis://… or rediss://… (AUTHCTL_STORE)")
	Choose(flags, "store", stores.Names()...)
	BindCAFile(flags, &f.CAFile)
}

// BindCAFile adds --ca-file.
func BindCAFile(flags *pflag.FlagSet, path *string) {
	flags.StringVar(path, "ca-file", "", "trust the certificates in this PEM `file` too")
}

// check is a usage error for a store that there is not.
func (f *Store) check() error {
	names, said := stores.Names(), " "
	switch {
	case f.Name == "" || slices.Contains(names, f.Name):
		return nil
	case strings.Contains(f.Name, "://"):
		return stores.Check("--store", f.Name)
	case !strings.ContainsAny(f.Name, ":@"): // else it may hold a password
		said = fmt.Sprintf(" %q ", f.Name)
	}
	return Usagef("--store%sis not one of %s, redis://…, rediss://…", said, strings.Join(names, ", "))
}

// Service are the flags of every command that asks a service, as far as they mean something
// to it.
type Service struct {
	Profile
	Store
	Trace
	// Scopes are those of --scope as they were given; ScopeList parts them.
	Scopes          []string
	MinTTL, Timeout Duration
	ForceRefresh    bool
	NoCache         bool
	DryRun          bool
	Explain         bool
}

// bind adds the flags but for those that mean nothing to the command.
func (f *Service) bind(flags *pflag.FlagSet, without ...string) {
	if len(without) == 0 {
		f.bindAll(flags)
		return
	}
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.bindAll(all)
	all.VisitAll(func(flag *pflag.Flag) {
		if !slices.Contains(without, flag.Name) {
			flags.AddFlag(flag)
		}
	})
}

// ForCachedTokens are the flags that decide whether a token of the store will do: nothing
// to a command that gets none, or takes the one that is there.
func ForCachedTokens() []string { return []string{"min-ttl", "force-refresh", "no-cache"} }

func (f *Service) bindAll(flags *pflag.FlagSet) {
	f.Profile.bind(flags)
	f.Store.bind(flags)
	flags.StringArrayVarP(&f.Scopes, "scope", "s", nil,
		"a `scope` to ask for instead of the profile's (repeatable; comma or space separated)")
	flags.Var(&f.MinTTL, "min-ttl",
		"the life a cached token must have left (AUTHCTL_MIN_TTL; default min(60s, a fifth of its life))")
	flags.Var(&f.Timeout, "timeout", "how long the whole call may take (AUTHCTL_TIMEOUT; default 30s)")
	flags.BoolVar(&f.ForceRefresh, "force-refresh", false, "pass over the cached token")
	flags.BoolVar(&f.NoCache, "no-cache", false, "neither read nor write the cache")
	f.Trace.bind(flags)
	flags.BoolVar(&f.DryRun, "dry-run", false, "send nothing; print the request, secrets as fingerprints")
	flags.BoolVar(&f.Explain, "explain", false, "tell on stderr where each setting came from and what was decided")
}

// Duration is a duration of zero or more; nil where the flag was not given.
type Duration struct{ Given *time.Duration }

// Or is what was given, else the usual.
func (f *Duration) Or(usual time.Duration) time.Duration {
	if f.Given != nil {
		return *f.Given
	}
	return usual
}

// CheckTimeout refuses a --timeout that leaves no time.
func (f *Duration) CheckTimeout() error {
	if f.Given != nil && *f.Given == 0 {
		return Usagef("--timeout 0 leaves no time")
	}
	return nil
}

// Set parses what was given; see pflag.Value.
func (f *Duration) Set(text string) error {
	d, err := setting.ParseDuration(text)
	if err != nil {
		return err
	}
	f.Given = &d
	return nil
}

// String returns nothing for a flag that was not given; see pflag.Value.
func (f *Duration) String() string {
	if f.Given == nil {
		return ""
	}
	return f.Given.String()
}

// Type names the value in help; see pflag.Value.
func (f *Duration) Type() string { return "duration" }

// ScopeList returns the scopes of --scope, nil when it is not given.
func (f *Service) ScopeList() []string {
	if len(f.Scopes) == 0 {
		return nil
	}
	return kinds.Words(strings.Join(f.Scopes, " "))
}

// Entry are the flags that choose the cache entry.
func (f *Service) Entry() []string {
	var words []string
	if scopes := f.ScopeList(); len(scopes) > 0 {
		words = append(words, "--scope", strings.Join(scopes, " "))
	}
	if f.Store.Name != "" {
		words = append(words, "--store", f.Store.Name)
	}
	return words
}

// Output is --output with the formats a command has, the default first.
type Output struct {
	Format  string
	formats []string
}

func (f *Output) bind(flags *pflag.FlagSet, formats ...string) {
	f.formats = formats
	flags.StringVarP(&f.Format, "output", "o", formats[0], "the output `format`: "+strings.Join(formats, ", "))
	Choose(flags, "output", formats...)
}

// check returns a usage error for a format that the command does not have.
func (f *Output) check() error {
	if slices.Contains(f.formats, f.Format) {
		return nil
	}
	return Usagef("--output %q is not one of %s", f.Format, strings.Join(f.formats, ", "))
}

// JSON reports whether a program is to read the answer.
func (f *Output) JSON() bool { return f.Format == "json" }

// List prints a listing: as a table or, with -o json, under a fixed key.
func (d *Deps) List(output *Output, key string, items any, table term.Table) error {
	if output.JSON() {
		return d.UI.JSON(map[string]any{key: items})
	}
	return d.UI.Table(table)
}
