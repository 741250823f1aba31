package store

import (
	"cmp"
	"path/filepath"
	"strings"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/authctl/authctl/internal/store/shared"
)

// plan is what `store init` is about to do, by what is there.
type plan struct {
	// chosen is the store that the key is for, file or a shared one.
	chosen stores.Choice
	// path is where the key is or will be, and reference how the configuration names it.
	path, reference string
	// key is the one that the configuration names, its From empty when it names none.
	key stores.Secret
	// missing are the lines that the configuration does not have yet, and before what
	// included files say that they go before.
	missing []edit.Setting
	before  []string
}

// name is the store's, as commands show it.
func (p plan) name() string {
	if address.Is(p.chosen.Text) {
		return shared.Name
	}
	return p.chosen.Text
}

// line is what the configuration says of the store, or is about to.
func (p plan) line() string { return "store: " + p.chosen.Shown() }

// plan returns what is to be done, and an error where the configuration says something else
// already: what somebody chose is not changed behind their back.
func (s *setUp) plan(file *config.File) (plan, error) {
	p := plan{}
	err := s.store(file, &p)
	if err == nil {
		p.key, err = file.StoreSecret(stores.Key)
	}
	if err == nil {
		err = s.place(file, &p)
	}
	if p.key.From == "" {
		p.missing = append(p.missing, edit.Setting{Key: "store_key", Text: p.reference})
	}
	return p, err
}

// store finds out which store the key is for: the one that is named, where that wants a key, else
// file. What an included file says is for others too, and one's own entries go before it; but a
// store that is shared with others is.
func (s *setUp) store(file *config.File, p *plan) error {
	p.chosen = stores.Choice{Text: "file"}
	chosen, err := file.Store()
	named := chosen.Origin != "default"
	switch {
	case err != nil:
		return err
	case address.Is(chosen.Text), chosen.Text == "file":
		p.chosen = chosen
		return nil
	case !named && address.Is(s.local.Env.Store):
		p.chosen = stores.Choice{Text: s.local.Env.Store}
		return nil
	case named && own(file, chosen.Origin):
		return taken(chosen.Origin, "store is "+chosen.Text+" already",
			"to keep it so, there is nothing to do; for the file store take that line out, then: "+
				s.CommandFor("", "store", "init"))
	case named:
		p.before = append(p.before, "store: "+chosen.Text+" in "+chosen.Origin)
	}
	p.missing = append(p.missing, edit.Setting{Key: "store", Text: "file"})
	return nil
}

// own reports whether an origin is in the file itself, and not in one that it includes.
func own(file *config.File, origin string) bool { return strings.HasPrefix(origin, file.Path+":") }

// place finds out where the key goes: where the flag says, else where the configuration
// says, else beside the configuration.
func (s *setUp) place(file *config.File, p *plan) error {
	given, err := config.Path(s.LookupEnv, "--key-file", files.Tidy(s.keyFile))
	there := ""
	if err == nil && p.key.Kind == "file" {
		there, err = files.Place(p.key.Arg, s.home(), p.key.Dir)
	}
	if err == nil {
		p.path, err = filepath.Abs(cmp.Or(given, there, filepath.Join(filepath.Dir(file.Path), "store.key")))
	}
	if err == nil && there != "" {
		there, err = filepath.Abs(there)
	}
	if err != nil {
		return err
	}
	if p.key.From != "" && there != p.path {
		if given == "" || own(file, p.key.Origin) {
			return taken(p.key.Origin, "store_key is "+p.key.Reference.String()+" already",
				"to use that key, see that "+p.line()+" is in "+file.Path+"; "+s.anotherKey(file, p.key.Origin))
		}
		p.before, p.key = append(p.before, "store_key in "+p.key.Origin), stores.Secret{}
	}
	p.reference = "file:" + portable(p.path, s.home())
	if p.key.From != "" {
		p.reference = "file:" + p.key.Arg
	}
	return nil
}

// anotherKey says how one has a key of one's own where a line names another.
func (s *setUp) anotherKey(file *config.File, origin string) string {
	if own(file, origin) {
		return "for another one take that line out, then: " + s.CommandFor("", "store", "init")
	}
	return "for one of your own: " + s.CommandFor("", "store", "init", "--key-file", "PATH")
}

func (s *setUp) home() string { return files.Environ(s.LookupEnv).Home() }

// portable writes a path below the home directory with ~, so that the configuration can be
// taken to another machine.
func portable(path, home string) string {
	if rel, err := filepath.Rel(home, path); home != "" && err == nil && filepath.IsLocal(rel) {
		return "~/" + filepath.ToSlash(rel)
	}
	return path
}

// taken is the error of a line of the configuration that says something else.
func taken(origin, problem, help string) error {
	return &setting.Error{Path: origin, Problem: problem, Help: help}
}
