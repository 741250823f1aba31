//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const bases = 10

// profiles is what a configuration costs by its size, and by how it is written.
func (b *testbed) profiles(ctx context.Context, quick bool) (comparison, error) {
	most := 1000
	if quick {
		most = 10
	}
	c := comparison{id: "profiles", title: "a kept token, by the profiles in the file"}
	for _, n := range []int{1, 10, 100, 1000} {
		if n > most {
			break
		}
		s, err := b.configured(fmt.Sprintf("%d profile(s)", n), map[string]string{"": b.plainProfiles(n)})
		if err != nil {
			return c, err
		}
		s.size = n
		c.subjects = append(c.subjects, s)
	}
	one := c.subjects[0].name
	c.targets = []target{{row: fmt.Sprintf("%d profile(s)", most), against: one, unit: more, most: 1.5}}
	for _, form := range [][2]string{
		{"in blocks", "  %s:\n    extends: %s\n    account: acme\n"},
		{"in one line", "  %s: {extends: %s, account: acme}\n"},
	} {
		name := fmt.Sprintf("%d extending %d bases in 3 files, %s", most, bases, form[0])
		s, err := b.configured(name, b.teamFiles(most, form[1]))
		if err == nil {
			err = s.rehearse(ctx, 1)
		}
		c.targets = append(c.targets, target{row: name, against: one, unit: more, most: 2})
		if err != nil {
			b.lack(name, err)
			continue
		}
		s.size = most
		c.subjects = append(c.subjects, s)
	}
	return c, nil
}

// plainProfiles is a configuration of n profiles, of which the last one is asked for.
func (b *testbed) plainProfiles(n int) string {
	var text strings.Builder
	text.WriteString("profiles:\n")
	for i := range n - 1 {
		fmt.Fprintf(&text, "  other-%04d:\n%s", i, b.profile)
	}
	fmt.Fprintf(&text, "  %s:\n%s", profileName, b.profile)
	return text.String()
}

// teamFiles is a configuration of n profiles, each of which extends one of ten bases in three files; by the files'
// names, of which the empty one is the configuration itself.
func (b *testbed) teamFiles(n int, form string) map[string]string {
	files := map[string]string{}
	var main strings.Builder
	main.WriteString("include: [team-0.yaml, team-1.yaml, team-2.yaml]\nprofiles:\n")
	for i := range n {
		name := fmt.Sprintf("other-%04d", i)
		if i == n-1 {
			name = profileName
		}
		fmt.Fprintf(&main, form, name, fmt.Sprintf("base-%d", i%bases))
	}
	files[""] = main.String()
	for i := range bases {
		name := fmt.Sprintf("team-%d.yaml", i%3)
		if files[name] == "" {
			files[name] = "bases:\n"
		}
		files[name] += fmt.Sprintf("  base-%d:\n%s", i, b.profile)
	}
	return files
}

// configured is `authctl token get` with a configuration of its own. Its files are beside the sandbox's, because the
// paths of secrets are relative to them.
func (b *testbed) configured(name string, files map[string]string) (subject, error) {
	main := strings.Map(func(r rune) rune {
		if r == ' ' || r == ',' {
			return '-'
		}
		return r
	}, name) + ".yaml"
	for file, text := range files {
		if file == "" {
			file = main
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(b.Config), file), []byte(text), 0o600); err != nil {
			return subject{name: name}, err
		}
	}
	s := b.get("file")
	s.name = name
	s.env = append(s.env, "AUTHCTL_CONFIG="+filepath.Join(filepath.Dir(b.Config), main))
	return s, nil
}
