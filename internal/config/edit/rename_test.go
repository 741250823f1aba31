package edit

import (
	"errors"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/setting"
	"github.com/google/go-cmp/cmp"
)

func rename(d *draft) error {
	return d.rename("p", "new", func(key, text string) (string, bool) {
		switch {
		case text == "profile:p" && strings.HasSuffix(key, "_token"):
			return "profile:new", true
		case text == "keyring:profile/p/x":
			return "keyring:profile/new/x", true
		}
		return "", false
	})
}

func TestRename(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"alone":     {"profiles:\n  # mine\n  p: # one\n    a: p\n  q: {a: 1}\n", "profiles:\n  # mine\n  new: # one\n    a: p\n  q: {a: 1}\n"},
		"default":   {"default_profile:   p   # mine\nprofiles:\n  p: {a: 1}\n", "default_profile:   new   # mine\nprofiles:\n  new: {a: 1}\n"},
		"quotes":    {"default_profile: 'p'\nprofiles: {\"p\": {a: 1}, pp: {a: 1}}\n", "default_profile: new\nprofiles: {new: {a: 1}, pp: {a: 1}}\n"},
		"another's": {"default_profile: q\nprofiles:\n  q: {a: 1}\n  p: {a: 1}\n", "default_profile: q\nprofiles:\n  q: {a: 1}\n  new: {a: 1}\n"},
		"references": {
			"x-a: &x {actor_token: 'profile:p'}\nbases:\n  b: {subject_token: profile:p}\nprofiles:\n  p: {a: 1}\n" +
				"  q:\n    subject_token: profile:p # its\n    username: profile:p\n    actor_token: profile:pp\n  r: {<<: *x, a: 1}\n",
			"x-a: &x {actor_token: profile:new}\nbases:\n  b: {subject_token: profile:new}\nprofiles:\n  new: {a: 1}\n" +
				"  q:\n    subject_token: profile:new # its\n    username: profile:p\n    actor_token: profile:pp\n  r: {<<: *x, a: 1}\n",
		},
		"secrets": {
			"profiles:\n  p: {client_secret: keyring:profile/p/x, headers: {a: 'keyring:profile/p/x', b: keyring:y}}\n",
			"profiles:\n  new: {client_secret: keyring:profile/new/x, headers: {a: keyring:profile/new/x, b: keyring:y}}\n",
		},
		"crlf": {"profiles:\r\n  p:\r\n    a: 1\r\n", "profiles:\r\n  new:\r\n    a: 1\r\n"},
	}
	for name, tt := range tests {
		got, err := edited(tt.text, rename)
		if err != nil {
			t.Errorf("%s: %v %+v", name, err, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for text, problem := range map[string]string{
		"profiles:\n  p: {a: 1}\n  new: {a: 1}\n": "exists already",
		"profiles:\n  q: {a: 1}\n":                "there is no profile p",
	} {
		_, err := edited(text, rename)
		if e, _ := errors.AsType[*setting.Error](err); e == nil || e.Problem != problem {
			t.Errorf("%q: %v", text, err)
		}
	}
}
