package formats

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/term"
)

// credentialGroup is the API group of ExecCredential; its versions v1 and v1beta1
// differ in nothing that a plugin answers.
const credentialGroup = "client.authentication.k8s.io/"

// Curl returns a configuration for curl -K -, whose quoted values know backslash
// escapes, see https://curl.se/docs/manpage.html#-K.
func (p Token) Curl() string {
	var b strings.Builder
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	for _, header := range append([]string{p.header()}, p.headers...) {
		b.WriteString(`header = "` + quote.Replace(header) + "\"\n")
	}
	return b.String()
}

// credentialVersion returns the apiVersion that kubectl asks for in
// KUBERNETES_EXEC_INFO, v1 where nobody asks.
func credentialVersion(d *verb.Deps) (string, error) {
	const variable = "KUBERNETES_EXEC_INFO"
	text, _ := d.LookupEnv(variable)
	if text == "" {
		return credentialGroup + "v1", nil
	}
	var info struct {
		APIVersion string `json:"apiVersion"`
	}
	if err := json.Unmarshal([]byte(text), &info); err != nil {
		return "", &setting.Error{
			Name: variable, Problem: "is not the JSON of an ExecCredential", Err: err,
			Help: "it is kubectl that sets it: unset it where kubectl does not run",
		}
	}
	switch info.APIVersion {
	case credentialGroup + "v1", credentialGroup + "v1beta1":
		return info.APIVersion, nil
	}
	return "", &setting.Error{
		Name: variable, Problem: fmt.Sprintf("asks for apiVersion %q", info.APIVersion),
		Help: "under exec in the kubeconfig set apiVersion to " + credentialGroup +
			"v1, before kubectl 1.22 to v1beta1",
	}
}

// credential returns an ExecCredential, see
// https://kubernetes.io/docs/reference/config-api/client-authentication.v1/. Without
// an expiry kubectl keeps the token until a server refuses it.
func (p Token) credential(apiVersion string) (string, error) {
	type status struct {
		ExpirationTimestamp *string `json:"expirationTimestamp,omitempty"`
		Token               string  `json:"token"`
	}
	return term.JSONLine(struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Spec       struct{} `json:"spec"`
		Status     status   `json:"status"`
	}{APIVersion: apiVersion, Kind: "ExecCredential", Status: status{p.ExpiresAt, p.AccessToken}})
}
