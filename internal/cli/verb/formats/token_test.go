package formats

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// verbatim reads a single-quoted string of PowerShell by the grammar of its language specification,
// https://learn.microsoft.com/powershell/scripting/lang-spec/chapter-02 §2.3.5.2: it ends at the first quote that has
// no second one behind it, and a pair of them is one.
func verbatim(t *testing.T, text string) (value, rest string) {
	t.Helper()
	text, ok := strings.CutPrefix(text, "'")
	if !ok {
		t.Fatalf("%q does not begin with a quote", text)
	}
	var b strings.Builder
	for {
		part, after, closed := strings.Cut(text, "'")
		if !closed {
			t.Fatalf("%q does not end", text)
		}
		b.WriteString(part)
		if !strings.HasPrefix(after, "'") {
			return b.String(), after
		}
		b.WriteByte('\'')
		text = after[1:]
	}
}

func TestPowerShellQuotingFollowsItsGrammar(t *testing.T) {
	t.Parallel()
	var every strings.Builder
	for c := byte(0x21); c <= 0x7E; c++ {
		every.WriteByte(c)
	}
	for _, token := range []string{every.String(), "'", "''", "'''a'", "$env:HOME`n$(id)", `"@'`, "fake"} {
		expiry := int64(1)
		text := Token{AccessToken: token, TokenType: "Bearer", ExpiresOn: &expiry}.powershell("X")
		for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			name, quoted, _ := strings.Cut(line, " = ")
			value, rest := verbatim(t, quoted)
			want := [][2]string{{"$env:X", token}, {"$env:X_TYPE", "Bearer"}, {"$env:X_EXPIRES_ON", "1"}}[i]
			if name != want[0] || value != want[1] || rest != "" {
				t.Errorf("line %d: %s is %q, then %q; want %q", i, name, value, rest, want)
			}
		}
	}
}

func TestPlainTokens(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]bool{
		"eyJ.e30.c2ln_-": true, "a~b+c/d==": true, "7": true,
		"": false, "~a": false, "=": false, "a b": false, "a#": false, "a$b": false, "a'": false, `a"`: false, "a%": false,
		"a:b": false, "a\n": false, "ä": false,
	} {
		if plainToken(token) != want {
			t.Errorf("%q: plain %t, want %t", token, !want, want)
		}
	}
}

func TestRunnerFileThatIsFull(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("/dev/full is Linux")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	err = runnerFile{name: "GITHUB_ENV"}.write(full, pair("X", "fake-token"))
	if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "fake-token") {
		t.Errorf("got %v, want no space left and no token", err)
	}
}

func TestRunnerFileThatMayNotBeWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "set_env")
	if err := os.WriteFile(path, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	if file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err == nil {
		_ = file.Close()
		t.Skip("this user may write everywhere")
	}
	err := runnerFile{"GITHUB_ENV", path}.append("X", "fake-token")
	if !errors.Is(err, os.ErrPermission) || strings.Contains(err.Error(), "fake-token") {
		t.Errorf("got %v, want a refusal and no token", err)
	}
}

func TestPairOfSeveralLinesHasADelimiterThatNobodyGuesses(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, value := range []string{"one\ntwo", "one\rtwo", "one\r\n", "\n"} {
		head, rest, _ := strings.Cut(pair("X", value), "\n")
		delimiter, ok := strings.CutPrefix(head, "X<<")
		if !ok || len(delimiter) < 20 || seen[delimiter] || rest != value+"\n"+delimiter+"\n" {
			t.Errorf("%q became %q", value, head+"\n"+rest)
		}
		seen[delimiter] = true
	}
}

func TestWhatAShellIsToldWithoutAToken(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"token get -o env":                       "unset AUTHCTL_TOKEN AUTHCTL_TOKEN_TYPE AUTHCTL_TOKEN_EXPIRES_ON; false\n",
		"token get --output=env --var X":         "unset X X_TYPE X_EXPIRES_ON; false\n",
		"token get -qoenv --var=X --nonsense":    "unset X X_TYPE X_EXPIRES_ON; false\n",
		"token get -o=env --var X --var Y":       "unset Y Y_TYPE Y_EXPIRES_ON; false\n",
		"token get -o env --var X;id":            "unset AUTHCTL_TOKEN AUTHCTL_TOKEN_TYPE AUTHCTL_TOKEN_EXPIRES_ON; false\n",
		"token get --output fish":                "set -ge AUTHCTL_TOKEN AUTHCTL_TOKEN_TYPE AUTHCTL_TOKEN_EXPIRES_ON; false\n",
		"token get -o powershell --var X":        "Remove-Item Env:X, Env:X_TYPE, Env:X_EXPIRES_ON -ErrorAction SilentlyContinue; throw 'authctl: there is no token'\n",
		"token get -o env -o json":               "",
		"token get -o dotenv":                    "",
		"token get":                              "",
		"exec calls -- sh -c true -o env":        "",
		"token get --variable X -o env":          "unset AUTHCTL_TOKEN AUTHCTL_TOKEN_TYPE AUTHCTL_TOKEN_EXPIRES_ON; false\n",
		"token get -o":                           "",
		"token get -o env --var":                 "unset AUTHCTL_TOKEN AUTHCTL_TOKEN_TYPE AUTHCTL_TOKEN_EXPIRES_ON; false\n",
		"tokn get calls -o env":                  "unset AUTHCTL_TOKEN AUTHCTL_TOKEN_TYPE AUTHCTL_TOKEN_EXPIRES_ON; false\n",
		"token get --profile calls --output env": "unset AUTHCTL_TOKEN AUTHCTL_TOKEN_TYPE AUTHCTL_TOKEN_EXPIRES_ON; false\n",
	} {
		if got := Unset(strings.Fields(args)); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}
