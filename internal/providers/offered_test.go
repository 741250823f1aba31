package providers_test

import (
	"net/url"
	"testing"

	"github.com/authctl/authctl/internal/openid"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
	"github.com/google/go-cmp/cmp"
)

// TestOffered: of what the Spec has what an issuer lists is left, and all where it lists nothing.
func TestOffered(t *testing.T) {
	t.Parallel()
	grants := []string{"client_credentials", "authorization_code", "device_code", "jwt_bearer"}
	methods := []string{setting.Basic, setting.Post, setting.PrivateKeyJWT, setting.Assertion, setting.None}
	spec := providers.Spec{Keys: func() []setting.Setting {
		return []setting.Setting{
			{Name: "grant", Values: grants, Default: "client_credentials"}, {Name: "client_auth", Values: methods},
		}
	}}
	somewhere := &url.URL{Scheme: "https", Host: "id.example"}
	both := map[string]*url.URL{"authorization_endpoint": somewhere, "device_authorization_endpoint": somewhere}
	for name, tt := range map[string]struct {
		m               openid.Metadata
		grants, methods []string
		standard        string
	}{
		"no lists":            {openid.Metadata{Endpoints: both}, grants, methods, "client_credentials"},
		"no lists, no logins": {openid.Metadata{}, []string{"client_credentials", "jwt_bearer"}, methods, "client_credentials"},
		"names of the standards": {
			openid.Metadata{
				Endpoints: both, AuthMethods: []string{"private_key_jwt"},
				GrantTypes: []string{"authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "implicit"},
			},
			[]string{"authorization_code", "jwt_bearer"},
			[]string{setting.PrivateKeyJWT, setting.Assertion, setting.None},
			"",
		},
		"a secret alone": {
			openid.Metadata{AuthMethods: []string{"client_secret_post"}, GrantTypes: []string{"client_credentials", "authorization_code"}},
			[]string{"client_credentials"},
			[]string{setting.Post, setting.None},
			"client_credentials",
		},
		"nothing that is known": {openid.Metadata{GrantTypes: []string{"magic"}, AuthMethods: []string{}}, grants, []string{setting.None}, "client_credentials"},
	} {
		got := spec.Offered(&tt.m).Settings()
		if diff := cmp.Diff(tt.grants, got[0].Values); diff != "" {
			t.Errorf("%s: grants %s", name, diff)
		}
		if diff := cmp.Diff(tt.methods, got[1].Values); diff != "" {
			t.Errorf("%s: methods %s", name, diff)
		}
		if got[0].Default != tt.standard {
			t.Errorf("%s: the default grant is %q", name, got[0].Default)
		}
	}
	if diff := cmp.Diff(grants, spec.Settings()[0].Values); diff != "" {
		t.Errorf("the Spec itself was changed: %s", diff)
	}
}
