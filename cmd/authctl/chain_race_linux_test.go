//go:build unix

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
)

// chain is a profile that two others exchange the token of, and one whose secret is wrong.
const chain = `
bases:
  client: {provider: oauth2, issuer: "%s/openid/main", client_id: sandbox-oauth2-easy, client_secret: env:EASY}
profiles:
  behind: {extends: client, scopes: [orders:read]}
  one: {extends: client, grant: token_exchange, subject_token: "profile:behind", audience: one}
  other: {extends: client, grant: token_exchange, subject_token: "profile:behind", audience: other}
  wrong: {extends: client, client_secret: env:WRONG}
  refused: {extends: client, grant: token_exchange, subject_token: "profile:wrong"}
  job: {extends: client, client_id: sandbox-oauth2-federated, client_secret: "", client_assertion: "github:authctl-sandbox"}
`

// chained makes a place with the chain.
func chained(p *place) {
	p.configure(fmt.Sprintf(chain, p.server.URL()))
	p.set("EASY="+sandbox.Marker+"-oauth2-easy", "WRONG="+sandbox.Marker+"-wrong", "XDG_STATE_HOME="+p.path("state"),
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN="+sandbox.Marker+"-job-request-token",
		"ACTIONS_ID_TOKEN_REQUEST_URL="+p.server.URL()+"/openid/jobs/github?api-version=2.0")
}

// TestManyProcessesAskOnceForATokenBehind: two profiles need the token of a third, each by many processes, and nobody
// waits for somebody who waits for him. What is behind is asked for once for both.
func TestManyProcessesAskOnceForATokenBehind(t *testing.T) {
	t.Parallel()
	eachStoreAndEngine(t, func(t *testing.T, p *place) {
		chained(p)
		p.fault(sandbox.Fault{Service: "oauth2", DelayMS: 200})
		one := p.startMany(manyProcesses/2, "token", "get", "one")
		other := p.startMany(manyProcesses/2, "token", "get", "other")
		first := wantTokens(t, ends(one))
		if second := wantTokens(t, ends(other)); first == second {
			t.Error("two audiences have one token")
		}
		p.wantAsked("GET /openid/main/.well-known/openid-configuration", "POST /openid/main/token", "POST /openid/main/token",
			"POST /openid/main/token")
		// Who has the token behind has asked nobody else for it.
		p.wantSource("cache", "behind")
		wantTokens(t, p.atOnce(10, "token", "get", "one"))
		p.wantRequests(4, 4)
	})
}

// TestManyProcessesShareARefusalBehind: the failure of what is behind is everybody's, and told as its own.
func TestManyProcessesShareARefusalBehind(t *testing.T) {
	t.Parallel()
	eachStoreAndEngine(t, func(t *testing.T, p *place) {
		chained(p)
		p.fault(sandbox.Fault{Service: "oauth2", DelayMS: 1500})
		all := p.atOnce(manyProcesses, "token", "get", "refused")
		wantFailures(t, 4, all)
		for _, o := range all {
			if !strings.Contains(o.stderr, "getting the subject token from profile wrong: ") {
				t.Fatalf("stderr %q does not say whose token it is", o.stderr)
			}
		}
		p.wantRequests(2, 4)
	})
}

// TestManyProcessesOfAJobAskOnce: the job's identity is asked for by the one who asks the service.
func TestManyProcessesOfAJobAskOnce(t *testing.T) {
	t.Parallel()
	eachStoreAndEngine(t, func(t *testing.T, p *place) {
		chained(p)
		p.fault(sandbox.Fault{Service: "oauth2", DelayMS: 200})
		wantTokens(t, p.atOnce(manyProcesses, "token", "get", "job"))
		p.wantAsked("GET /openid/main/.well-known/openid-configuration", "GET /openid/jobs/github", "POST /openid/main/token")
	})
}

// TestTokensOfOthersAreNotShown: neither the tokens that are traded, nor what a job asks with, is in what any command
// says or leaves.
func TestTokensOfOthersAreNotShown(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	chained(p)
	for _, c := range []spoken{
		{args: "token get one --dry-run"},
		{args: "token get one", prints: true},
		{args: "token get one --dry-run --force-refresh"},
		{args: "token get job --dry-run"},
		{args: "token get job", prints: true},
		{args: "token get job --force-refresh -o json", prints: true},
		{args: "token get refused", code: 4},
		{args: "token list"},
		{args: "token list -o json"},
		{args: "profile show one"},
		{args: "profile show job -o json"},
		{args: "doctor one --online"},
		{args: "doctor job"},
		{args: "exec job -- true"},
	} {
		p.speak(c)
	}
	repeated := `{"error":"` + sandbox.Marker + `-job-request-token"}`
	p.fault(sandbox.Fault{Service: "oauth2", Status: 500, Body: &repeated})
	p.speak(spoken{args: "token get job --force-refresh", code: 8})
	p.wantCleanDisk(p.dir)
}
