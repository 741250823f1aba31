package profile

import (
	"context"
	"fmt"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/config/edit"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/providers"
	"github.com/spf13/cobra"
)

func use(d *verb.Deps) *cobra.Command {
	return d.Command(cobra.Command{
		Use:               "use PROFILE",
		Short:             "Make a profile the default",
		Args:              verb.Arguments(1, 1, "PROFILE"),
		ValidArgsFunction: d.CompleteProfile,
	}, verb.Flags{}, func(ctx context.Context, args []string) error {
		local, err := d.Local()
		if err != nil {
			return err
		}
		return local.Change(ctx, "", func(file *config.File) error {
			if err := edit.SetDefault(file, args[0]); err != nil {
				return err
			}
			d.UI.Note("profile " + args[0] + " is the default in " + file.Path)
			return nil
		})
	})
}

func remove(d *verb.Deps) *cobra.Command {
	return d.Command(cobra.Command{
		Use:   "remove PROFILE",
		Short: "Remove a profile from the configuration file",
		Long: `Remove a profile from the configuration file, and the secrets that profile add put
into the keyring for it. Its tokens are forgotten; sign out first to end them at a
service that has it. The rest of the file stays as it is.`,
		Args:              verb.Arguments(1, 1, "PROFILE"),
		ValidArgsFunction: d.CompleteProfile,
	}, verb.Flags{}, func(ctx context.Context, args []string) error {
		local, err := d.Local()
		if err != nil {
			return err
		}
		err = local.Change(ctx, "", func(file *config.File) error { return removeFrom(ctx, d, local, file, args[0]) })
		if err != nil {
			return err
		}
		return forgetTokensOf(ctx, d, local, args[0])
	})
}

// secretName is where profile add keeps a secret in the keyring. Names that begin so
// are its own: profile remove takes them away.
func secretName(profile, setting string) string { return "profile/" + profile + "/" + setting }

// removeFrom removes a profile from a file, and its own secrets from the keyring.
func removeFrom(ctx context.Context, d *verb.Deps, local *client.Local, file *config.File, name string) error {
	own, err := file.OwnSecrets(name, secretName(name, ""))
	if err != nil {
		d.UI.Warn("its secrets stay in the keyring: " + err.Error())
	}
	linked := file.Linked(name)
	if err := edit.Remove(file, name); err != nil {
		return err
	}
	d.UI.Note("profile " + name + " removed from " + file.Path)
	for _, other := range linked {
		d.UI.Warn("profile " + other + " gets its token with that of " + name + ", and fails from now on")
	}
	for _, secret := range own {
		dropSecret(ctx, d, local, secret)
	}
	return nil
}

// dropSecret deletes a secret from the keyring, and says so.
func dropSecret(ctx context.Context, d *verb.Deps, local *client.Local, name string) {
	if err := local.Keyring.DeleteSecret(ctx, name); err != nil {
		d.UI.Warn("the secret " + name + " is still in the keyring: " + err.Error())
		return
	}
	d.UI.Note("the secret " + name + " is deleted from the keyring")
}

// forgetTokensOf takes away what is cached for a profile that is gone. A store that
// cannot be used has nothing to take away.
func forgetTokensOf(ctx context.Context, d *verb.Deps, local *client.Local, name string) error {
	kept, err := local.QuietStore()
	if err != nil || kept.Shared() {
		// What is shared is other machines' too, whose profile is still there.
		return err
	}
	entries, err := kept.List(ctx)
	if err != nil {
		d.UI.Warn("a token of the profile may still be stored: " + err.Error())
	}
	for _, e := range entries {
		if e.Profile != name {
			continue
		}
		if err := kept.Delete(ctx, e.Key); err != nil {
			return fmt.Errorf("forgetting the token of profile %s: %w", name, err)
		}
		text := "its token is forgotten here and valid until " + moment.End(e.Expiry)
		if service, err := d.Service(e.Key.Provider); err == nil && service.Has(providers.SignOut) {
			text += "; to end it at the service, sign out before the profile is removed: " + d.CommandFor(name, "signout")
		}
		d.UI.Note(text)
	}
	return nil
}
