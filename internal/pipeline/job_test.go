package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/pipeline"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// right is the fake right of a job to ask.
const right = "fake-request-token"

// environment makes an environment of NAME=value.
func environment(lines ...string) files.Environ {
	return func(name string) (string, bool) {
		for _, line := range lines {
			if n, value, _ := strings.Cut(line, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

// serve answers as a pipeline's system does, and keeps what it was asked.
func serve(t *testing.T, status int, reply string) (address string, asked *string) {
	t.Helper()
	asked = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Authorization") + " " + r.Header.Get("X-Tfs-Fedauthredirect")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, reply)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// TestTokenIsAskedForAsDocumented asks each system's endpoint as its vendor's page says.
func TestTokenIsAskedForAsDocumented(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		system             pipeline.System
		address, token, of string
		reply, want        string
	}{
		"GitHub": {
			pipeline.GitHub(), "ACTIONS_ID_TOKEN_REQUEST_URL=%s/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
			"api://Exchange?a=b&c", `{"count": 1857, "value": "fake-identity"}`,
			"GET /token?api-version=2.0&audience=api%3A%2F%2FExchange%3Fa%3Db%26c bearer " + right + " ",
		},
		"Azure": {
			pipeline.AzurePipelines(), "SYSTEM_OIDCREQUESTURI=%s/org/oidctoken", "SYSTEM_ACCESSTOKEN",
			"7c5d-01", `{"oidcToken": "fake-identity"}`,
			"POST /org/oidctoken?api-version=7.1&serviceConnectionId=7c5d-01 Bearer " + right + " Suppress",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, asked := serve(t, http.StatusOK, tt.reply)
			env := environment(fmt.Sprintf(tt.address, address), tt.token+"="+right)
			got, err := tt.system.Token(t.Context(), env, &oauth.Client{}, tt.of)
			if err != nil || !got.Equal(secret.New("fake-identity")) {
				t.Errorf("%v, %v", got, err)
			}
			if *asked != tt.want {
				t.Errorf("asked %s\nwant  %s", *asked, tt.want)
			}
			if note, err := tt.system.Look(env); err != nil || !strings.Contains(note, "when it is needed") {
				t.Errorf("looked: %s, %v", note, err)
			}
		})
	}
}

// TestRepliesThatAreNoToken: each is an error of the right type, and none repeats what came.
func TestRepliesThatAreNoToken(t *testing.T) {
	t.Parallel()
	for reply, status := range map[string]int{
		`{"value": ""}`: 200, `{"value": 5}`: 200, `{"value": " "}`: 200, `{}`: 200, `[]`: 200, "hunter2": 200,
		"<html>hunter2": 203, `{"message": "` + right + `"}`: 401, `{"error": "` + right + `"}`: 400, "": 503,
	} {
		address, _ := serve(t, status, reply)
		env := environment("ACTIONS_ID_TOKEN_REQUEST_URL="+address, "ACTIONS_ID_TOKEN_REQUEST_TOKEN="+right)
		c := &oauth.Client{Sleep: func(context.Context, time.Duration) error { return nil }}
		_, err := pipeline.GitHub().Token(t.Context(), env, c, "api")
		_, unusable := errors.AsType[*oauth.ReplyError](err)
		_, refused := errors.AsType[*oauth.Error](err)
		if unusable != (status < 300) || refused == unusable {
			t.Errorf("%q: %v", reply, err)
		}
		if err != nil && (strings.Contains(err.Error(), right) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%q is repeated: %v", reply, err)
		}
	}
}

// TestJobsThatCannotAsk says what is missing and what to write where.
func TestJobsThatCannotAsk(t *testing.T) {
	t.Parallel()
	github, azure := pipeline.GitHub(), pipeline.AzurePipelines()
	for name, tt := range map[string]struct {
		system pipeline.System
		env    []string
		want   string
	}{
		"no job": {github, nil, "this is no job of GitHub Actions | run it in one, or give another reference"},
		"no permission": {
			github,
			[]string{"GITHUB_ACTIONS=true"},
			"the job lacks the permission id-token: write | write into the workflow, or the job: permissions: " +
				"{id-token: write, contents: read}; a pull request from a fork never gets it",
		},
		"half of it": {
			github,
			[]string{"GITHUB_ACTIONS=true", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + right},
			"the job lacks the permission id-token: write | ",
		},
		"taken by exec": {
			github,
			[]string{"GITHUB_ACTIONS=true", "AUTHCTL_EXEC_TOOK=ACTIONS_ID_TOKEN_REQUEST_TOKEN X"},
			"ACTIONS_ID_TOKEN_REQUEST_TOKEN was taken out of the environment by the authctl exec that this runs under | " +
				"keep it there: authctl exec --keep-env ACTIONS_ID_TOKEN_REQUEST_TOKEN …",
		},
		"no address": {
			github,
			[]string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + right, "ACTIONS_ID_TOKEN_REQUEST_URL=x"},
			"ACTIONS_ID_TOKEN_REQUEST_URL is no address | leave it as the job has it",
		},
		"no pipeline": {azure, []string{"GITHUB_ACTIONS=true"}, "this is no job of Azure Pipelines | "},
		"not mapped": {
			azure,
			[]string{"TF_BUILD=True", "SYSTEM_OIDCREQUESTURI=https://dev.example/oidc"},
			"the step does not have SYSTEM_ACCESSTOKEN | map it in the step: env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}",
		},
		"mapped to nothing": {azure, []string{"TF_BUILD=True", "SYSTEM_ACCESSTOKEN="}, "SYSTEM_ACCESSTOKEN is set but empty | "},
	} {
		env := environment(tt.env...)
		_, err := tt.system.Token(t.Context(), env, &oauth.Client{}, "api")
		_, looked := tt.system.Look(env)
		for _, err := range []error{err, looked} {
			e, ok := errors.AsType[*setting.Error](err)
			if !ok || !strings.HasPrefix(e.Problem+" | "+e.Help, tt.want) {
				t.Errorf("%s: %v\nwant %s", name, err, tt.want)
			}
		}
	}
}

// TestPlainHTTPIsForLoopback: the request token is not sent where others can read it.
func TestPlainHTTPIsForLoopback(t *testing.T) {
	t.Parallel()
	env := environment("ACTIONS_ID_TOKEN_REQUEST_URL=http://pipeline.example/", "ACTIONS_ID_TOKEN_REQUEST_TOKEN="+right)
	_, err := pipeline.GitHub().Token(t.Context(), env, &oauth.Client{}, "api")
	if _, ok := errors.AsType[*oauth.RequestError](err); !ok {
		t.Errorf("%v", err)
	}
}
