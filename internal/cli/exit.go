package cli

import (
	"cmp"
	"errors"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/setting"
	"github.com/spf13/cobra"
)

// kind is a row of the table of exit codes.
type kind struct {
	code int
	// meaning is what the documentation says, in Markdown.
	meaning string
	// hint is what to do next where the error itself does not know better.
	hint string
	// retryable says that the same command may succeed later.
	retryable bool
}

// kinds returns the table of exit codes. Those without a kind are in exitTable.
func kinds() map[string]kind {
	return map[string]kind{
		"internal": {code: 1, meaning: "anything else, such as a token that could not be written to stdout"},
		"usage": {
			code: 2, meaning: "a flag or an argument is wrong", hint: "run it with --help to see what it takes",
		},
		"config": {
			code: 3, meaning: "configuration or a secret reference is wrong, missing or unsafe; " +
				"a certificate that is not trusted; a proxy that wants other credentials",
		},
		"auth": {
			code: 4, meaning: "the service refused the credentials, or a login by a person is needed",
			hint: verb.CheckCredentials,
		},
		"scope": {
			code: 5, meaning: "a scope was refused, or `--require-scope` found one missing",
			hint: "check {scopes} in the profile, case matters",
		},
		"unsupported": {code: 6, meaning: "this service has no such operation"},
		"store": {
			code: 7, meaning: "the chosen store cannot be used", hint: "use --store memory for this call, or --store auto",
		},
		"temporary": {
			code: 8, meaning: "network, timeout, 429, 5xx, lock busy: try again later", hint: "try again later",
			retryable: true,
		},
		"protocol": {
			code: 9, meaning: "the service's reply cannot be used",
			hint: "check {base_url,account} in the profile; --verbose shows who answered",
		},
	}
}

// fail reports err on stderr, as the command's output format wants it, and
// returns the exit code.
func (a *app) fail(command *cobra.Command, err error) int {
	if child, ok := errors.AsType[*process.Error](err); ok {
		if child.Err != nil {
			a.UI.Say(a.UI.Err.Bad("error:"), child.Error())
		}
		return child.Code
	}
	if interrupted, ok := errors.AsType[process.Interrupted](err); ok {
		return 128 + int(interrupted.Signal)
	}
	name, hint := a.Subject.Advise(err)
	if name == "scope" && hint == "" {
		hint = a.scopeHint()
	}
	row := kinds()[name]
	hint = a.Subject.InNames(cmp.Or(hint, row.hint))
	if a.wantsJSON(command) {
		// The object is all there is on stderr: a program reads it.
		a.failJSON(name, row, err, hint)
		return row.code
	}
	a.UI.TellPending()
	for line := range strings.SplitSeq(err.Error(), "\n") {
		a.UI.Say(a.UI.Err.Bad("error:"), line)
	}
	if hint != "" {
		a.UI.Say(a.UI.Err.Notice("hint:"), hint)
	}
	return row.code
}

// scopeHint says what to do about a scope that was refused. Where a service has but one,
// there is nothing to spell, or to probe.
func (a *app) scopeHint() string {
	hint := kinds()["scope"].hint
	service, err := a.Service(a.Subject.Provider)
	if err != nil || service.Catalogue == nil {
		return hint
	}
	if known := service.Catalogue().Scopes; len(known) == 1 {
		return "check {scopes} in the profile: " + service.Title + " has the scope " + known[0].Name + " only"
	}
	return hint + "; or ask " + a.CommandFor(a.Subject.Profile, "scopes", "probe")
}

// failJSON writes the error as the one JSON object of the contract.
func (a *app) failJSON(name string, row kind, err error, hint string) {
	type report struct {
		Code      int    `json:"code"`
		Kind      string `json:"kind"`
		Provider  string `json:"provider"`
		Profile   string `json:"profile"`
		Message   string `json:"message"`
		Hint      string `json:"hint"`
		Retryable bool   `json:"retryable"`
	}
	a.UI.Fail(map[string]report{"error": {
		Code: row.code, Kind: name, Provider: a.Subject.Provider, Profile: cmp.Or(a.Subject.Profile, profileOf(err)),
		Message: a.UI.Withhold(err.Error()), Hint: a.UI.Withhold(hint), Retryable: row.retryable,
	}})
}

// profileOf returns the profile that an error of the configuration is about.
func profileOf(err error) string {
	if e, ok := errors.AsType[*setting.Error](err); ok {
		return e.Profile
	}
	return ""
}

// wantsJSON reports whether errors are to be JSON: by the parsed flag or, where
// the flags could not be parsed, by what stands in the arguments.
func (a *app) wantsJSON(command *cobra.Command) bool {
	if command != nil {
		if f := command.Flags().Lookup("output"); f != nil && f.Changed {
			return f.Value.String() == "json"
		}
	}
	return verb.ValueIn(a.Args, verb.OutputIn) == "json"
}
