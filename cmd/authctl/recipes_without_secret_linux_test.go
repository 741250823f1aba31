package main

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"go.yaml.in/yaml/v3"
)

// trusting moves a recipe from the service that it names, and the client there, to the sandbox, which trusts tokens of
// its own pipelines.
func (r *runner) trusting(text string) string {
	return strings.NewReplacer(
		"https://id.example.com", r.server.URL()+"/openid/main", ": report\n", ": sandbox-oauth2-federated\n",
	).Replace(text)
}

// job has the sandbox's pipelines give jobs their tokens, as GitHub does where the workflow may write id-token.
func (r *runner) job(t *testing.T, workflow string) {
	t.Helper()
	var said struct{ Permissions map[string]string }
	if err := yaml.Unmarshal([]byte(workflow), &said); err != nil {
		t.Fatal(err)
	}
	if said.Permissions["id-token"] == "write" {
		r.env = append(r.env, "ACTIONS_ID_TOKEN_REQUEST_URL="+r.server.URL()+sandbox.GitHubPath,
			"ACTIONS_ID_TOKEN_REQUEST_TOKEN="+sandbox.JobRequestToken)
	}
}

// withoutBase leaves the service's address to the recipe.
func (r *runner) withoutBase() {
	r.env = slices.DeleteFunc(r.env, func(entry string) bool { return strings.HasPrefix(entry, "AUTHCTL_BASE_URL=") })
}

// TestRecipeWithoutSecretInAct: the job has no secret, and its own token is in no log.
func TestRecipeWithoutSecretInAct(t *testing.T) {
	t.Parallel()
	for _, permission := range []string{"write", "none"} {
		t.Run(permission, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			r.withoutBase()
			r.secrets["secret"] = "fake-and-not-used"
			r.program(t, "report.sh", `[ -z "${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-}" ]`+"\nset -x\necho reporting with $AUTHCTL_TOKEN\n"+
				`printf %s "$AUTHCTL_TOKEN" >'`+r.temp+`/reported'`)
			r.write(t, "checkout/ci/authctl.yaml", r.trusting(recipeText(t, "authctl.yaml")), 0o600)
			workflow := recipeText(t, "github-actions-without-secret.yml")
			workflow = strings.Replace(workflow, "id-token: write", "id-token: "+permission, 1)
			r.job(t, workflow)
			log, ok := r.act(t, workflow)
			if ok != (permission == "write") {
				t.Fatalf("the job's success is %t:\n%s", ok, log)
			}
			r.wantHidden(t, nil)
			if !ok {
				if !strings.Contains(log, "id-token: write") || fileExists(filepath.Join(r.temp, "reported")) {
					t.Errorf("the missing permission is not named:\n%s", log)
				}
				return
			}
			r.wantHandedOver(t, "reported")
			if !strings.Contains(log, "reporting with ***") {
				t.Errorf("a token that is not hidden would not be seen:\n%s", log)
			}
		})
	}
}

// TestRecipeWithoutSecretInGitLabCILocal: gitlab-ci-local knows no id_tokens, so that the job's token is a variable of
// the project here.
func TestRecipeWithoutSecretInGitLabCILocal(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	r.withoutBase()
	pipeline := recipeText(t, "gitlab-ci-without-secret.yml")
	var said struct {
		Report struct {
			IDTokens map[string]struct{ Aud string } `yaml:"id_tokens"`
		}
	}
	if err := yaml.Unmarshal([]byte(r.trusting(pipeline)), &said); err != nil || len(said.Report.IDTokens) != 1 {
		t.Fatalf("the recipe has the ID tokens %v: %v", said.Report.IDTokens, err)
	}
	r.identityTokens = map[string]string{}
	for name, token := range said.Report.IDTokens {
		r.identityTokens[name] = r.identity(t, token.Aud)
	}
	log, ok := r.gitlabLocal(t, r.trusting(pipeline))
	if !ok {
		t.Errorf("the pipeline failed:\n%s", log)
	}
	r.wantHandedOver(t, "reported")
	r.wantHidden(t, nil)
}

// identity is the token that the sandbox's pipelines give a job.
func (r *runner) identity(t *testing.T, audience string) string {
	t.Helper()
	address := r.server.URL() + sandbox.GitHubPath + "&audience=" + audience
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "bearer "+sandbox.JobRequestToken)
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	var said struct{ Value string }
	text, err := io.ReadAll(reply.Body)
	if err != nil || json.Unmarshal(text, &said) != nil || said.Value == "" {
		t.Fatalf("the sandbox gives no job's token: %v: %s", err, text)
	}
	return said.Value
}
