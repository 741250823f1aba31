package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/term"
	"github.com/google/go-cmp/cmp"
)

// documentedCodes is what scripts rely on. A row may be added; one that changes breaks
// somebody's script.
const documentedCodes = "| code | kind | meaning |\n|--:|---|---|\n" +
	"| 0 | – | done |\n" +
	"| 1 | `internal` | anything else, such as a token that could not be written to stdout |\n" +
	"| 2 | `usage` | a flag or an argument is wrong |\n" +
	"| 3 | `config` | configuration or a secret reference is wrong, missing or unsafe; a certificate that is not trusted; " +
	"a proxy that wants other credentials |\n" +
	"| 4 | `auth` | the service refused the credentials, or a login by a person is needed |\n" +
	"| 5 | `scope` | a scope was refused, or `--require-scope` found one missing |\n" +
	"| 6 | `unsupported` | this service has no such operation |\n" +
	"| 7 | `store` | the chosen store cannot be used |\n" +
	"| 8 | `temporary` | network, timeout, 429, 5xx, lock busy: try again later |\n" +
	"| 9 | `protocol` | the service's reply cannot be used |\n" +
	"| 126, 127, 128+n | – | `exec` and `curl`: not executable, not found, ended by signal n; else the child's own code |\n" +
	"| 130, 143 | – | interrupted, terminated |\n"

func TestExitCodesAreAsDocumented(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(documentedCodes, ExitCodeTable()); diff != "" {
		t.Errorf("the table (-promised +is):\n%s", diff)
	}
	for _, page := range []string{"README.md", "docs/exit-codes.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", page))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), documentedCodes) {
			t.Errorf("%s has another table", page)
		}
		if page != "README.md" && !strings.Contains(string(text), "-->\n"+StdoutExceptions()+"<!--") {
			t.Errorf("%s has other exceptions", page)
		}
		for name, row := range kinds() {
			heading := "\n### " + strconv.Itoa(row.code) + " " + name + "\n"
			if page != "README.md" && !strings.Contains(string(text), heading) {
				t.Errorf("%s has no section %q", page, heading)
			}
		}
	}
	for line := range strings.Lines(exitCodesText()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
			t.Errorf("the help topic has a line of %d characters: %s", n, line)
		}
	}
}

// ofEachKind returns an error for every kind there is, some kinds with several.
func ofEachKind() map[string][]error {
	return map[string][]error{
		"internal": {errors.New("something else")},
		"usage":    {verb.Usagef("no such flag")},
		"config": {
			&setting.Error{Problem: "is wrong"}, &setting.Error{Problem: "is not set"},
			&setting.Error{Name: "account", Problem: "is missing"}, term.ErrNoInput,
			&providers.Failure{Reason: providers.ReasonConfig, Message: "no such realm"},
			&store.UnusableError{Problem: store.Unconfigured, Err: errors.New("no key")},
			&verb.Error{Kind: "config", Message: "1 of 2 checks failed", Hint: "x"},
		},
		"auth": {
			&providers.Failure{Reason: providers.ReasonCredentials, Message: "refused"},
			&providers.Failure{Reason: providers.ReasonLogin, Message: "log in"},
		},
		"scope":       {&providers.Failure{Reason: providers.ReasonScope, Message: "refused"}},
		"unsupported": {&providers.UnsupportedError{Service: "Acme", Operation: "ping"}},
		"store": {
			&store.UnusableError{Problem: store.Locked, Err: errors.New("locked")},
			&store.LockError{Path: "/lock", Err: errors.New("not yours")}, &verb.Error{Kind: "store", Message: "1 of 2 checks failed", Hint: "x"},
		},
		"temporary": {
			&providers.Failure{Reason: providers.ReasonTemporary, Message: "busy"}, context.DeadlineExceeded,
			&store.LockError{Busy: true, Path: "/lock", Err: errors.New("held")},
			&store.LockError{Busy: true, Guards: "/config.yaml", Path: "/lock", Err: errors.New("held")},
			&setting.Error{Path: "/config.yaml", Problem: "was changed", Err: edit.ErrChanged},
		},
		"protocol": {&providers.Failure{Reason: providers.ReasonProtocol, Message: "no JSON"}},
	}
}

func TestErrorsOfEachKindAsJSON(t *testing.T) {
	t.Parallel()
	for name, row := range kinds() {
		failures := ofEachKind()[name]
		if len(failures) == 0 {
			t.Errorf("no error is of the kind %s: nothing has been tested", name)
		}
		for _, failure := range failures {
			var stderr bytes.Buffer
			a := newApp(t.Context(), verb.World{Args: []string{"-o", "json"}, Streams: term.Streams{Err: &stderr}})
			a.Subject.Provider, a.Subject.Profile = "acme", "calls"
			if code := a.fail(nil, failure); code != row.code {
				t.Errorf("%v: exit code %d, want %d", failure, code, row.code)
			}
			var got struct{ Error map[string]any }
			decoder := json.NewDecoder(&stderr)
			if err := decoder.Decode(&got); err != nil || decoder.More() {
				t.Errorf("%v: stderr is not one JSON object: %v", failure, err)
			}
			want := map[string]any{
				"code": float64(row.code), "kind": name, "provider": "acme", "profile": "calls",
				"message": failure.Error(), "hint": got.Error["hint"], "retryable": name == "temporary",
			}
			if diff := cmp.Diff(want, got.Error); diff != "" {
				t.Errorf("%v (-want +got):\n%s", failure, diff)
			}
		}
	}
}

func TestJSONErrorsAreAskedForInManyForms(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"token get -o json --nope": true, "token get --nope -ojson": true, "--nope -o=json": true,
		"--nope --output json": true, "--nope --output=json": true, "--nope -qojson": true, "--nope -qvo json": true,
		"--nope": false, "--nope -o raw": false, "--nope -o": false, "-p o json": false, "--nope -pojson": false,
		"exec x --nope -- curl -o json": false, "--outputs json --nope": false, "--no-such json": false,
	} {
		a := newApp(t.Context(), verb.World{Args: strings.Fields(line)})
		if got := a.wantsJSON(nil); got != want {
			t.Errorf("%s: %t, want %t", line, got, want)
		}
	}
}
