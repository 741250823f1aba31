package profile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/store"
	"github.com/spf13/cobra"
)

// renaming is `profile rename`: a profile that gets another name.
type renaming struct {
	*verb.Deps
	local    *client.Local
	old, new string
}

func rename(d *verb.Deps) *cobra.Command {
	return d.Command(cobra.Command{
		Use:   "rename PROFILE NAME",
		Short: "Give a profile another name",
		Long: `Give a profile of the configuration file another name. default_profile and the references
profile:NAME of the file follow, and so do its tokens, and the secrets that authctl put
into the keyring for it. Comments, order and the rest of the file stay.`,
		Args:              verb.Arguments(2, 2, "PROFILE or its new NAME"),
		ValidArgsFunction: d.CompleteProfile,
	}, verb.Flags{}, func(ctx context.Context, args []string) (err error) {
		r := &renaming{Deps: d, old: args[0], new: args[1]}
		if r.local, err = d.Local(); err != nil {
			return err
		}
		if err := r.local.Change(ctx, "", func(file *config.File) error { return r.change(ctx, file) }); err != nil {
			return err
		}
		if r.local.LookupEnv.Get("AUTHCTL_PROFILE") == r.old {
			d.UI.Warn("the variable AUTHCTL_PROFILE still says " + r.old)
		}
		return r.relabel(ctx)
	})
}

// change renames the profile in the file. Its secrets are in the keyring under both names until the file
// is written, so that there is one that works whatever happens.
func (r *renaming) change(ctx context.Context, file *config.File) error {
	if err := r.refuse(file); err != nil {
		return err
	}
	own, err := file.OwnSecrets(r.old, secretName(r.old, ""))
	if err != nil {
		return err
	}
	moved := map[string]string{}
	for _, name := range own {
		first := secretName(r.new, strings.TrimPrefix(name, secretName(r.old, "")))
		if moved[name], err = freeName(ctx, r.local, first); err != nil {
			return err
		}
	}
	revision, err := edit.Rename(file, r.old, r.new, r.follow(moved))
	if err != nil {
		return err
	}
	if err := r.check(file, revision); err != nil {
		return err
	}
	if err = r.copySecrets(ctx, moved); err == nil {
		err = revision.Write()
	}
	if err != nil {
		r.dropAll(ctx, moved, func(_, fresh string) string { return fresh })
		return err
	}
	r.UI.Note("profile " + r.old + " is " + r.new + " in " + file.Path)
	r.dropAll(ctx, moved, func(old, _ string) string { return old })
	return nil
}

// follow says what takes the place of a reference: to the profile, or to a secret that has moved with it.
func (r *renaming) follow(moved map[string]string) edit.Other {
	tokens := r.tokens()
	return func(key, text string) (string, bool) {
		ref, ok := source.Parse(text)
		switch {
		case ok && ref.Kind == source.Profile && ref.Arg == r.old && slices.Contains(tokens, key):
			return source.Profile + ":" + r.new, true
		case ok && ref.Kind == "keyring" && moved[ref.Arg] != "":
			return "keyring:" + moved[ref.Arg], true
		}
		return "", false
	}
}

// tokens are the settings that may refer to a profile.
func (r *renaming) tokens() (names []string) {
	for _, s := range r.Services() {
		for _, d := range s.Settings() {
			if d.Token {
				names = append(names, d.Name)
			}
		}
	}
	return names
}

// refuse refuses a name that cannot be had, and a profile that other files know by its name: only one
// file is changed.
func (r *renaming) refuse(file *config.File) error {
	path, line, err := file.Where(r.old)
	switch {
	case err != nil:
		return err
	case path != "" && path != file.Path:
		return &setting.Error{
			Path: path, Line: line, Profile: r.old, Help: "change it there, with --config " + path,
			Problem: "is in a file that is included, and only " + file.Path + " is changed",
		}
	case path == "":
		names, err := file.Names()
		if err != nil {
			return err
		}
		return config.Missing(r.old, names)
	}
	if err := edit.Check(file, r.new); err != nil {
		return err
	}
	for _, other := range file.Linked(r.old) {
		if at, line, _ := file.Where(other); at != file.Path {
			return &setting.Error{
				Path: at, Line: line, Profile: other, Problem: "gets its token with that of " + r.old + ", and is in a file that " +
					"is included, which is not changed", Help: "change that first",
			}
		}
	}
	return nil
}

// check looks whether the profile, and those that refer to it, can be used as before.
func (r *renaming) check(before *config.File, revision *edit.Revision) error {
	after, err := revision.File()
	if err != nil {
		return err
	}
	if _, err := after.Behind(r.old); err == nil {
		r.UI.Warn("there is another profile " + r.old + ", in a file that is included, which counts from now on")
	}
	linked, now := before.Linked(r.old), after.Linked(r.new)
	for _, other := range linked {
		if !slices.Contains(now, other) {
			return &setting.Error{
				Profile: other, Problem: "refers to " + r.old + " in a way that does not follow", Help: "change that by hand first",
			}
		}
	}
	if name, err := after.Default(); err == nil && name == r.old {
		r.UI.Warn("default_profile of an included file still says " + r.old)
	}
	return nil
}

// copySecrets puts the secrets into the keyring under their new names.
func (r *renaming) copySecrets(ctx context.Context, moved map[string]string) error {
	for old, fresh := range moved {
		value, err := r.local.Keyring.Secret(ctx, old)
		if errors.Is(err, store.ErrNotFound) {
			continue // it is missing, and stays so
		}
		if err == nil {
			err = r.local.Keyring.SetSecret(ctx, fresh, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropAll deletes of each secret the one that which says.
func (r *renaming) dropAll(ctx context.Context, moved map[string]string, which func(old, fresh string) string) {
	for old, fresh := range moved {
		if err := r.local.Keyring.DeleteSecret(ctx, which(old, fresh)); err != nil {
			r.UI.Warn("the secret " + which(old, fresh) + " is still in the keyring: " + err.Error())
		}
	}
}

// relabel has listings tell the tokens by the new name. Each is written under its lock, so that one that
// is refreshed meanwhile is not lost.
func (r *renaming) relabel(ctx context.Context) error {
	kept, err := r.local.QuietStore()
	if err != nil {
		return err
	}
	entries, err := kept.List(ctx)
	if err != nil {
		r.UI.Warn("tokens may still be listed under " + r.old + ": " + err.Error())
	}
	for _, e := range entries {
		if e.Profile != r.old {
			continue
		}
		if err := r.relabelOne(ctx, kept, e); err != nil {
			r.UI.Warn(fmt.Sprintf("a token is still listed under %s: %v", r.old, err))
		}
	}
	return nil
}

func (r *renaming) relabelOne(ctx context.Context, kept store.Store, e store.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, r.local.Timeout(nil))
	defer cancel()
	lock, err := kept.Lock(ctx, e.Key)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	record, err := kept.Get(ctx, e.Key)
	if err != nil || record.Profile != r.old {
		return err
	}
	record.Profile = r.new
	return kept.Put(ctx, record)
}
