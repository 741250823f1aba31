package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/google/go-cmp/cmp"
)

// loadTeam writes files, own.yaml among them, into a directory, and reads them from there. The
// place of the directory is DIR in the files.
func loadTeam(t *testing.T, text string, env ...string) (*File, string, error) {
	t.Helper()
	dir := t.TempDir()
	for _, part := range strings.Split(text, "-- ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(body, "DIR", dir)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Load(Options{
		Path: filepath.Join(dir, "own.yaml"), Services: providers.These(services()...), Fetcher: &source.Fetcher{Env: environment(env...)},
	})
	return f, dir, err
}

const ownFile = `-- own.yaml
include: team.yaml
default_profile: acme
profiles:
  acme: {extends: talk, account: acme, client_secret: file:own.secret}
  globex:
    extends: talk
    account: globex
    region: ~
    scopes: [c]
-- team.yaml
bases:
  talk:
    provider: talkdesk
    region: eu
    client_id: abc
    client_secret: file:team.secret
profiles:
  acme: {extends: talk, account: other}
  theirs: {extends: talk, account: theirs}
`

// TestExtends says of each value where it is from.
func TestExtends(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"acme": "provider=talkdesk base talk in DIR/team.yaml:3\nextends=talk profile acme in DIR/own.yaml:4\n" +
			"account=acme profile acme in DIR/own.yaml:4\nregion=eu base talk in DIR/team.yaml:4\n" +
			"client_id=abc base talk in DIR/team.yaml:5\nclient_secret=file:own.secret profile acme in DIR/own.yaml:4\n" +
			"scopes=a b default\npkce=true default",
		"globex": "provider=talkdesk base talk in DIR/team.yaml:3\nextends=talk profile globex in DIR/own.yaml:6\n" +
			"account=globex profile globex in DIR/own.yaml:7\nregion=us default\n" +
			"client_id=abc base talk in DIR/team.yaml:5\nclient_secret=file:team.secret base talk in DIR/team.yaml:6\n" +
			"scopes=c profile globex in DIR/own.yaml:9\npkce=true default",
		"theirs": "provider=talkdesk base talk in DIR/team.yaml:3\nextends=talk profile theirs in DIR/team.yaml:9\n" +
			"account=theirs profile theirs in DIR/team.yaml:9\nregion=eu base talk in DIR/team.yaml:4\n" +
			"client_id=abc base talk in DIR/team.yaml:5\nclient_secret=file:team.secret base talk in DIR/team.yaml:6\n" +
			"scopes=a b default\npkce=true default",
	}
	// The second form is one that the scan is not sure of.
	for _, text := range []string{ownFile, strings.Replace(ownFile, "region: eu", "region: &r eu", 1)} {
		f, dir, err := loadTeam(t, text)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range want {
			p, err := f.Profile(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, i := range p.Describe() {
				lines = append(lines, i.Name+"="+i.Value+" "+strings.ReplaceAll(i.Origin, dir, "DIR"))
			}
			if diff := cmp.Diff(want, strings.Join(lines, "\n")); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		names, err := f.Names()
		if diff := cmp.Diff([]string{"acme", "globex", "theirs"}, names); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
}

// TestReferencesBeginWhereTheyAreWritten has files with secrets beside each file.
func TestReferencesBeginWhereTheyAreWritten(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(ownFile, "team.yaml", "sub/team.yaml") + "-- own.secret\nof mine\n-- sub/team.secret\nof the team\n"
	f, _, err := loadTeam(t, text)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"acme": "of mine", "globex": "of the team", "theirs": "of the team"} {
		p, err := f.Profile(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, p.Settings.Secret("client_secret"), want)
	}
}

// TestSecretVariablesOfEveryFile: what any base or profile of any file names is kept from children.
func TestSecretVariablesOfEveryFile(t *testing.T) {
	t.Parallel()
	f, _, err := loadTeam(t, `-- own.yaml
include: team.yaml
profiles:
  acme: {extends: talk, account: acme}
-- team.yaml
store_key: env:TEAM_KEY
bases:
  # env:NOT_THIS
  talk: {provider: talkdesk, client_secret: env:TEAM_SECRET}
  other:
    client_secret: env:OTHER_SECRET
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"AUTHCTL_STORE_KEY", "AUTHCTL_STORE_PASSWORD", "OTHER_SECRET", "TEAM_KEY", "TEAM_SECRET"}
	if diff := cmp.Diff(want, f.SecretVariables(nil)); diff != "" {
		t.Error(diff)
	}
	if !f.Mentions("TEAM_SECRET") || f.Mentions("TEAM_NOTHING") {
		t.Error("what the files mention")
	}
}

// TestAnchors merges mappings that stand under a key of the author's own.
func TestAnchors(t *testing.T) {
	t.Parallel()
	f, dir, err := loadTeam(t, `-- own.yaml
x-common: &common
  provider: talkdesk
  region: eu
x-more: &more {client_id: abc, client_secret: env:S, region: ca}
profiles:
  p:
    <<: [*common, *more]
    account: acme
  q: *common
`, "S=1")
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Profile("p", nil)
	if err != nil {
		t.Fatal(err)
	}
	region, _ := p.Settings.Lookup("region")
	id, _ := p.Settings.Lookup("client_id")
	if region.Text != "eu" || region.Origin != "profile p in "+dir+"/own.yaml:3" || id.Origin != "profile p in "+dir+"/own.yaml:4" {
		t.Errorf("%+v %+v", region, id)
	}
	if q, err := f.Profile("q", nil); err != nil || q.Settings.Text("region") != "eu" {
		t.Errorf("an alias: %v", err)
	}
}

// TestTeamMistakes has every kind of wrong file, and the answer to it.
func TestTeamMistakes(t *testing.T) {
	t.Parallel()
	const profile = "profiles:\n  acme: {extends: talk, account: acme}\n"
	const talk = "bases:\n  talk: {provider: talkdesk, client_id: abc, client_secret: env:S}\n"
	for name, row := range map[string]struct{ text, want string }{
		"missing": {
			"-- own.yaml\nstore: file\ninclude: [team.yaml]\n",
			"DIR/own.yaml:2: include names DIR/team.yaml, which does not exist" +
				" | correct the path, or take it out; a relative one starts from DIR",
		},
		"missing, absolute": {
			"-- own.yaml\ninclude:\n  # x\n  - DIR/team.yaml\n",
			"DIR/own.yaml:3: include names DIR/team.yaml, which does not exist | correct the path, or take it out",
		},
		"missing, further on": {
			"-- own.yaml\ninclude: a.yaml\n-- a.yaml\ninclude: b.yaml\n",
			"DIR/a.yaml:1: include names DIR/b.yaml, which does not exist | correct the path, or take it out; a relative one starts from DIR",
		},
		"no directory": {"-- own.yaml\ninclude: sub\n-- sub/x\n", "DIR/own.yaml:1: include names DIR/sub, which is a directory"},
		"not text":     {"-- own.yaml\ninclude: [1]\n", "DIR/own.yaml:1: include must be a file's name or a list of them | write [team.yaml]"},
		"a mapping":    {"-- own.yaml\ninclude: {a: b}\n", "DIR/own.yaml:1: include must be a file's name or a list of them | write [team.yaml]"},
		"a variable":   {"-- own.yaml\ninclude: $TEAM/x.yaml\n", "DIR/own.yaml:1: include names a path that …"},
		"nothing":      {"-- own.yaml\ninclude: ['']\n", "DIR/own.yaml:1: include names nothing | name a file, or take it out"},
		"itself":       {"-- own.yaml\ninclude: ./own.yaml\n", "DIR/own.yaml:1: include goes round in a circle: own.yaml includes own.yaml | take one of them out"},
		"a circle": {
			"-- own.yaml\ninclude: a.yaml\n-- a.yaml\n\ninclude: b.yaml\n-- b.yaml\ninclude: own.yaml\n",
			"DIR/b.yaml:1: include goes round in a circle: own.yaml includes a.yaml includes b.yaml includes own.yaml | take one of them out",
		},
		"a circle apart": {
			"-- own.yaml\ninclude: a.yaml\n-- a.yaml\ninclude: b.yaml\n-- b.yaml\ninclude: a.yaml\n",
			"DIR/b.yaml:1: include goes round in a circle: a.yaml includes b.yaml includes a.yaml | take one of them out",
		},
		"broken": {"-- own.yaml\ninclude: a.yaml\n" + profile + talk + "-- a.yaml\nprofiles: [\n", "DIR/a.yaml:2: is not valid YAML: …"},
		"unknown key": {
			"-- own.yaml\ninclude: a.yaml\n" + profile + talk + "-- a.yaml\nprofles: {}\n",
			"DIR/a.yaml:1: profles is not a known key | did you mean profiles?",
		},
		"two profiles": {
			"-- own.yaml\ninclude: [a.yaml, b.yaml]\n" + talk + "-- a.yaml\n" + profile + "-- b.yaml\n\n" + profile,
			"DIR/b.yaml:3: profile acme: is given twice: here, and in DIR/a.yaml:2 | keep one of them, or give it in DIR/own.yaml, which goes before both",
		},
		"two bases": {
			"-- own.yaml\ninclude: [a.yaml, b.yaml]\n" + profile + "-- a.yaml\n" + talk + "-- b.yaml\n" + talk,
			"DIR/b.yaml:2: base talk is given twice: here, and in DIR/a.yaml:2 | keep one of them, or give it in DIR/own.yaml, which goes before both",
		},
		"two, one deeper": {
			"-- own.yaml\ninclude: [a.yaml, b.yaml]\n" + profile + "-- a.yaml\ninclude: c.yaml\n-- b.yaml\n" + talk + "-- c.yaml\n" + talk,
			"DIR/b.yaml:2: base talk is given twice: here, and in DIR/c.yaml:2 | keep one of them, or give it in DIR/own.yaml, which goes before both",
		},
		"no base": {
			"-- own.yaml\n" + profile + "bases:\n  tolk: {region: eu}\n",
			"DIR/own.yaml:2: profile acme: extends names talk, and there is no such base | did you mean tolk?",
		},
		"no base at all": {"-- own.yaml\n" + profile, "DIR/own.yaml:2: profile acme: extends names talk, and there is no such base"},
		"a profile": {
			"-- own.yaml\n" + profile + "  talk: {provider: talkdesk}\n",
			"DIR/own.yaml:2: profile acme: extends names talk, which is a profile and no base | put what they have in common under bases",
		},
		"two of them": {
			"-- own.yaml\nprofiles:\n  acme:\n    account: acme\n    extends: [a, b]\n",
			"DIR/own.yaml:4: profile acme: extends must be the name of one base, not a list",
		},
		"a base extends": {
			"-- own.yaml\n" + profile + "bases:\n  talk:\n    provider: talkdesk\n    extends: other\n",
			"DIR/own.yaml:6: extends stands in a base: a base extends no other (from base talk) | " +
				"write the keys into it, or name the other one in the profile",
		},
		"a wrong key": {
			"-- own.yaml\ninclude: team.yaml\n" + profile + "-- team.yaml\nbases:\n  talk:\n    provider: talkdesk\n    regoin: eu\n",
			"DIR/team.yaml:4: regoin is not a setting of talkdesk (from base talk) | did you mean region?",
		},
		"a key of nobody": {
			"-- own.yaml\n" + profile + "bases:\n  talk: {clientid: abc}\n",
			"DIR/own.yaml:4: clientid is not a setting of any service (from base talk) | did you mean client_id?",
		},
		"a key of another service": {
			"-- own.yaml\nprofiles:\n  acme: {provider: pexip, extends: talk}\nbases:\n  talk: {region: eu}\n",
			"DIR/own.yaml:4: region is not a setting of pexip (from base talk) | one of …",
		},
		"a wrong value": {
			"-- own.yaml\ninclude: team.yaml\n" + profile + "-- team.yaml\nbases:\n  talk:\n    provider: talkdesk\n    region: uk\n",
			`DIR/team.yaml:4: profile acme: region "uk" is not one of us, eu, ca, au (from base talk) | did you mean us?`,
		},
		"a secret": {
			"-- own.yaml\n" + profile + "bases:\n  talk: {provider: talkdesk, client_secret: obviously-fake}\n",
			"DIR/own.yaml:4: profile acme: client_secret is not a reference to a secret (from base talk) | use env:NAME, …",
		},
		"no provider": {
			"-- own.yaml\n" + profile + "bases:\n  talk: {region: eu}\n",
			"DIR/own.yaml:2: profile acme: provider is missing | one of …",
		},
		"an unknown provider": {
			"-- own.yaml\n" + profile + "bases:\n  talk: {provider: talkdes}\n",
			`DIR/own.yaml:4: profile acme: provider "talkdes" is not known (from base talk) | did you mean talkdesk?`,
		},
		"an empty base": {
			"-- own.yaml\n" + profile + "bases:\n  talk:\n",
			"DIR/own.yaml:4: is empty (from base talk) | write what profiles have in common",
		},
		"a base of text":   {"-- own.yaml\n" + profile + "bases:\n  talk: eu\n", "DIR/own.yaml:4: must be a mapping of settings (from base talk)"},
		"bases are a list": {"-- own.yaml\n" + profile + "bases: [talk]\n", "DIR/own.yaml:3: bases must be a mapping of names to bases"},
		"only a base": {
			"-- own.yaml\n" + strings.ReplaceAll(talk, "talk:", "acme:"),
			"DIR/own.yaml:2: acme is a base, and no profile by itself | name a profile that extends it",
		},
	} {
		f, dir, err := loadTeam(t, row.text)
		if err == nil {
			_, err = f.Profile("acme", nil)
		}
		got := strings.ReplaceAll(message(&File{Path: dir}, err), "FILE", "DIR")
		want, cut := strings.CutSuffix(row.want, "…")
		if cut && !strings.HasPrefix(got, want) || !cut && got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, row.want)
		}
	}
}

// TestWhatCounts has one's own file go before those that it includes.
func TestWhatCounts(t *testing.T) {
	t.Parallel()
	f, dir, err := loadTeam(t, `-- own.yaml
include: [a.yaml, DIR/b.yaml]
store_key: file:own.key
profiles:
  p: {provider: talkdesk, account: own}
-- a.yaml
include: sub/../c.yaml
default_profile: p
store: file
store_key: file:a.key
profiles:
  p: {provider: talkdesk, account: a}
  q: {provider: talkdesk, account: a}
-- b.yaml
include: c.yaml
profiles:
  p: {provider: talkdesk, account: b}
-- c.yaml
default_profile: q
profiles:
  q: {provider: talkdesk, account: c}
  r: {provider: talkdesk, account: c}
-- sub/x
`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "own", "q": "a", "r": "c"} {
		p, err := f.Profile(name, nil)
		if err != nil || p.Settings.Text("account") != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
	chosen, err := f.Store()
	if chosen.Text != "file" || chosen.Origin != dir+"/a.yaml:3" || err != nil {
		t.Errorf("%+v, %v", chosen, err)
	}
	if key, err := f.StoreSecret(stores.Key); key.From != "store_key in "+dir+"/own.yaml:2" || key.Dir != dir || err != nil {
		t.Errorf("%+v, %v", key, err)
	}
	if len(f.Parts()) != 4 {
		t.Errorf("%+v", f.Parts())
	}
}

// teamOf writes three files with ten bases and a configuration of n profiles that extend them, each
// on one line or in a block.
func teamOf(b *testing.B, n int, oneLine bool) string {
	b.Helper()
	dir := b.TempDir()
	base := "  b%d:\n    provider: talkdesk\n    region: eu\n    client_id: abc\n    client_secret: env:S\n"
	profile := "  p%d:\n    extends: b%d\n    account: acme%d\n"
	if oneLine {
		base = "  b%d: {provider: talkdesk, region: eu, client_id: abc, client_secret: \"env:S\"}\n"
		profile = "  p%d: {extends: b%d, account: acme%d}\n"
	}
	var own strings.Builder
	own.WriteString("include: [t0.yaml, t1.yaml, t2.yaml]\nprofiles:\n")
	for i := range n {
		fmt.Fprintf(&own, profile, i, i%10, i)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for file := range 3 {
		text := "bases:\n"
		for i := file; i < 10; i += 3 {
			text += fmt.Sprintf(base, i)
		}
		write(fmt.Sprintf("t%d.yaml", file), text)
	}
	write("own.yaml", own.String())
	return filepath.Join(dir, "own.yaml")
}

func BenchmarkTeam(b *testing.B) {
	for _, n := range []int{1, 1000} {
		for kind, oneLine := range map[string]bool{"lines": true, "blocks": false} {
			b.Run(fmt.Sprintf("%s/profiles=%d", kind, n), func(b *testing.B) {
				o := Options{
					Path: teamOf(b, n, oneLine), Fetcher: &source.Fetcher{Env: environment()}, Services: providers.These(services()...),
				}
				b.ReportAllocs()
				for b.Loop() {
					f, err := Load(o)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := f.Profile(fmt.Sprintf("p%d", n-1), nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
