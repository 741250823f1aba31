package oauth

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseErrorBody(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]ErrorBody{
		`{"error":"invalid_scope","error_description":"no\u001b[0m","scope":"a b"}`: {"invalid_scope", "no [0m", "a b"},
		`{"status":{"code":603,"message":"Unauthorized"}}`:                          {Code: "603", Description: "Unauthorized"},
		`error=invalid_scope&error_description=no`:                                  {Code: "invalid_scope", Description: "no"},
		`{"message":"Forbidden","scope":["a"]}`:                                     {Description: "Forbidden"},
	} {
		got, ok := ParseErrorBody([]byte(body))
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%s: %t (-want +got):\n%s", body, ok, diff)
		}
	}
	for _, body := range []string{"", "<html>", "Forbidden", `{"error"`, "[]"} {
		if got, ok := ParseErrorBody([]byte(body)); ok {
			t.Errorf("%q was read as %+v", body, got)
		}
	}
}
