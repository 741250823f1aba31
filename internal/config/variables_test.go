package config

import (
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	services := []providers.Spec{{Name: "s", Keys: func() []setting.Setting {
		return []setting.Setting{
			{Name: "account"},
			{Name: "client_id"},
			{Name: "scopes", Kind: setting.List},
			{Name: "region"},
			{Name: "client_secret", Kind: setting.Secret},
			{Name: "api_key", Kind: setting.Secret},
			{Name: "base_url"},
			{Name: "environment"},
			{Name: "username"},
			{Name: "password", Kind: setting.Secret},
		}
	}}}
	for name, want := range map[string]string{
		"AUTHCTL_SCOPE":              "AUTHCTL_SCOPES",
		"AUTHCTL_scopes":             "AUTHCTL_SCOPES",
		"AUTHCTL_CLIENTID":           "AUTHCTL_CLIENT_ID",
		"AUTHCTL_CLIENT-ID":          "AUTHCTL_CLIENT_ID",
		"AUTHCTL_CLIENT_SECRT":       "AUTHCTL_CLIENT_SECRET",
		"AUTHCTL_SECRET":             "AUTHCTL_CLIENT_SECRET",
		"AUTHCTL_CLIENT_SECRET_PATH": "AUTHCTL_CLIENT_SECRET",
		"AUTHCTL_CLIENT_SECRETFILE":  "AUTHCTL_CLIENT_SECRET_FILE",
		"AUTHCTL_CLIENT_ID_FILE":     "AUTHCTL_CLIENT_ID",
		"AUTHCTL_URL":                "AUTHCTL_BASE_URL",
		"AUTHCTL_BASEURL":            "AUTHCTL_BASE_URL",
		"AUTHCTL_ENV":                "AUTHCTL_ENVIRONMENT",
		"AUTHCTL_TTL":                "AUTHCTL_MIN_TTL",
		"AUTHCTL_NOINPUT":            "AUTHCTL_NO_INPUT",
		"AUTHCTL_PROFIL":             "AUTHCTL_PROFILE",
		"AUTHCTL_STORE_KEYFILE":      "AUTHCTL_STORE_KEY_FILE",
		"AUTHCTL_USER":               "AUTHCTL_USERNAME",
		"AUTHCTL_ZEBRA":              "",
		"authctl_scopes":             "AUTHCTL_SCOPES",
		"Authctl_Client_Id":          "AUTHCTL_CLIENT_ID",
		"authctl_zebra":              "",
		"AUTHCTL_":                   "",
	} {
		got := UnknownVariables([]string{"HOME=/h", name + "=canary"}, func() []providers.Spec { return services })
		if len(got) != 1 || got[0].Name != name || got[0].Nearest != want {
			t.Errorf("%s: %+v, want %q", name, got, want)
		}
	}
	if got := UnknownVariables([]string{"AUTHCTL_SCOPE="}, func() []providers.Spec { return services }); got != nil {
		t.Errorf("an empty variable is %+v", got)
	}
	for _, name := range []string{
		"AUTHCTL_SCOPES", "AUTHCTL_CLIENT_SECRET", "AUTHCTL_CLIENT_SECRET_FILE", "AUTHCTL_STORE_KEY_CMD", "AUTHCTL_CONFIG",
		"AUTHCTL_PROVIDER", "AUTHCTL_PROFILE", "AUTHCTL_TOKEN", "AUTHCTL_TOKEN_TYPE", "AUTHCTL_TOKEN_EXPIRES_ON",
		"AUTHCTL_TOKEN_FILE", "AUTHCTL_EXEC_TOOK", "AUTHCTL_SANDBOX_URL", "AUTHCTL_TEST_REQUIRE", "AUTHCTL_ACTIVE_HELP", "AUTHCTL_STORE_DIR",
		"AUTHCTL_RUNTIME_DIR", "AUTHCTL_MIN_TTL", "AUTHCTL_TIMEOUT", "AUTHCTL_NO_INPUT", "MY_AUTHCTL_SCOPE", "AUTHCTL",
	} {
		if got := UnknownVariables([]string{name + "=1"}, func() []providers.Spec { return services }); got != nil {
			t.Errorf("%s is not known", name)
		}
	}
}

func TestInCI(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"true": true, "True": true, "TRUE": true, "1": true, "yes": true, "woodpecker": true,
		"": false, "0": false, "false": false, "False": false, "no": false, " off ": false,
	} {
		if got := InCI(environment("CI=" + value)); got != want {
			t.Errorf("CI=%q is %v", value, got)
		}
	}
	if InCI(environment()) {
		t.Error("no CI is CI")
	}
}

func TestTruth(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"1": true, "true": true, "True": true, "YES": true, "on": true, " 1 ": true,
		"": false, "0": false, "false": false, "No": false, "off": false,
	} {
		if e, err := ReadEnvironment(&source.Fetcher{Env: environment("AUTHCTL_NO_INPUT=" + value)}); err != nil || e.NoInput != want {
			t.Errorf("AUTHCTL_NO_INPUT=%q is %v, %v", value, e.NoInput, err)
		}
	}
}
