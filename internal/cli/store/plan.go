package store

import (
	"path/filepath"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// plan is what `store init` is about to do, by what is there.
type plan struct {
	// path is where the key is or will be, and reference how the configuration names it.
	path, reference string
	// key is the one that the configuration names, its From empty when it names none.
	key config.StoreKey
	// missing are the lines that the configuration does not have yet.
	missing []edit.Setting
}

// plan returns what is to be done, and an error where the configuration says something else
// already: what somebody chose is not changed behind their back.
func (s *setUp) plan(file *config.File) (plan, error) {
	p := plan{}
	chosen, err := file.Store()
	if err == nil {
		p.key, err = file.StoreKey()
	}
	if err != nil {
		return p, err
	}
	named := chosen.Origin != "default"
	if named && chosen.Text != "file" {
		return p, taken(chosen.Origin, "store is "+chosen.Text+" already",
			"to keep it so, there is nothing to do; for the file store take that line out, then: "+
				s.CommandFor("", "store", "init"))
	}
	err = s.place(file, &p)
	if !named {
		p.missing = append(p.missing, edit.Setting{Key: "store", Text: "file"})
	}
	if p.key.From == "" {
		p.missing = append(p.missing, edit.Setting{Key: "store_key", Text: p.reference})
	}
	return p, err
}

// place finds out where the key goes: where the configuration says, else where the flag
// says, else beside the configuration.
func (s *setUp) place(file *config.File, p *plan) error {
	there, given := "", files.Tidy(s.keyFile)
	path, err := config.Path(s.LookupEnv, "--key-file", given)
	if err == nil && p.key.Kind == "file" {
		there, err = files.Place(p.key.Arg, s.home(), p.key.Dir)
	}
	switch {
	case err != nil:
		return err
	case path == "" && there != "":
		path = there
	case path == "":
		path = filepath.Join(filepath.Dir(file.Path), "store.key")
	}
	if p.path, err = filepath.Abs(path); err != nil {
		return err
	}
	if p.key.From == "" {
		p.reference = "file:" + portable(p.path, s.home())
		return nil
	}
	p.reference = "file:" + p.key.Arg
	if there, err = filepath.Abs(there); err != nil || there != p.path || p.key.Kind != "file" {
		return taken(p.key.Origin, "store_key is "+p.key.Reference.String()+" already",
			"to use that key, write store: file into "+file.Path+" where it is not there; "+
				"for a key of its own take that line out, then: "+s.CommandFor("", "store", "init"))
	}
	return nil
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
