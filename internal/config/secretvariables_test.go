package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVariablesIn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"": nil,
		"profiles:\n  a:\n    client_secret: env:A\n    api_key:  env: B # why\r\n  b: {x: env:C, y: 'env:D'}\n": {"A", "B", "C", "D"},
		"z: [ \"env:E\" ]\nbroken: [\nclient_secret: env:F":                                                      {"E", "F"},
		"env:\nenv:env:G": {"env:G", "G"},
		"provider: genesys\nenvironment: production\n": nil,
	} {
		if diff := cmp.Diff(want, variablesIn([]byte(text))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
