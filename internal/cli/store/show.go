package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/shared"
	"github.com/spf13/cobra"
)

// show is `store show`.
type show struct {
	*verb.Deps
	store  verb.Store
	output verb.Output
}

// shown is what `store show -o json` prints: never a secret.
type shown struct {
	// Store is the store in use: keyring, kernel, file, memory or redis.
	Store string `json:"store"`
	// ChosenBy is "flag --store", "environment AUTHCTL_STORE", the file and line of the
	// configuration, or "default" where nothing names a store.
	ChosenBy string `json:"chosen_by"`
	// Automatic says that this choice is auto, and PassedOver what it tried before.
	Automatic  bool     `json:"automatic"`
	PassedOver []passed `json:"passed_over"`
	// Location is the directory of the files, what the keyring is, or the address of a shared
	// store's engine without its user; empty for memory.
	Location string `json:"location"`
	// Engine is what a shared store is on ("Redis 7.0.15"), and Role what that is to others of its
	// kind ("master"); left out for other stores, and empty where the engine does not tell this user.
	Engine *string `json:"engine,omitempty"`
	Role   *string `json:"role,omitempty"`
	// Key is where the key that records are sealed with is: a reference, a variable, or a keyring
	// of the kernel; empty where there is none.
	Key string `json:"key"`
	// Recipient is the public half of a shared store's key: machines with the same one share tokens.
	Recipient string `json:"recipient,omitempty"`
	// KeyExpiresIn is how many seconds the kernel keeps its key unless it is used, null where
	// nobody knows or it does not end.
	KeyExpiresIn *int64 `json:"key_expires_in"`
	// Tokens is how many are kept, Unopened how many more that the key does not open, and
	// Profiles whose they are.
	Tokens   int      `json:"tokens"`
	Unopened int      `json:"unopened"`
	Profiles []string `json:"profiles"`
	// LostWhen says what loses them.
	LostWhen string `json:"lost_when"`
	// where says for people where the key is.
	where string
}

// passed is a store that auto passes over.
type passed struct {
	Store  string `json:"store"`
	Reason string `json:"reason"`
}

func newShow(d *verb.Deps) *cobra.Command {
	s := &show{Deps: d}
	return d.Command(cobra.Command{
		Use:   "show",
		Short: "Show which store is used and why, what is in it and what would lose it",
		Long: `Show which store is used and why that one, where it is, how many tokens are in it and
what would lose them. Nobody is asked to unlock a keyring, and nothing is changed; the
key that they are sealed with is fetched, also by its command. The engine of a shared
store is asked, and the public half of the key shown: machines with the same one share
their tokens.

A store that was named and cannot be used is exit code 7, or 3 where its key is
missing, as for every command.`,
		Example: `  authctl store show
  authctl store show --store kernel
  authctl store show -o json | jq -r .store`,
	}, verb.Flags{Store: &s.store, Output: &s.output, Formats: []string{"text", "json"}}, s.run)
}

func (s *show) run(ctx context.Context, _ []string) error {
	local, kept, err := s.Store(&s.store)
	if err != nil {
		return err
	}
	chosen, err := local.Chosen(s.store.Name)
	if err != nil {
		return err
	}
	local.Keyring.NeverAsk = true
	used, before := client.InUse(ctx, kept)
	out := shown{
		Store: used.Name(), ChosenBy: chosen.Origin, Automatic: chosen.Text == "auto",
		PassedOver: []passed{}, Profiles: []string{},
	}
	for _, p := range before {
		out.PassedOver = append(out.PassedOver, passed{p.Store, store.Reason(p.Why)})
	}
	if err := client.Usable(ctx, used); err != nil {
		return err
	}
	if err := out.look(ctx, local, chosen, used); err != nil {
		return err
	}
	if s.output.JSON() {
		return s.UI.JSON(out)
	}
	return s.print(out)
}

// look fills in where a store is, what loses what it keeps, and what is in it.
func (o *shown) look(ctx context.Context, local *client.Local, chosen stores.Choice, used store.Store) error {
	o.LostWhen = "never by itself"
	switch used := used.(type) {
	case *store.Keyring:
		o.Location = used.Where()
	case *store.File:
		key, err := local.StoreSecret(stores.Key)
		if err != nil {
			return err
		}
		o.Location, o.Key = used.Dir, cmp.Or(key.Reference.String(), key.Setting)
		o.where = o.Key
	case *shared.Store:
		return o.lookAtEngine(ctx, local, chosen, used)
	case *store.Kernel:
		state, err := used.Inspect(ctx)
		if err != nil {
			return err
		}
		o.Location, o.Key, o.LostWhen, o.where = state.Dir, state.Keyring, lostByKernel, state.Where()
		if used.UntilLogout() {
			o.LostWhen = "logout; " + lostByKernel
		}
		if seconds := int64(state.Left.Seconds()); seconds > 0 {
			o.KeyExpiresIn = &seconds
		}
	default:
		o.LostWhen = "at once"
	}
	return o.count(ctx, used)
}

// lookAtEngine fills in what a shared store is on.
func (o *shown) lookAtEngine(ctx context.Context, local *client.Local, chosen stores.Choice, used *shared.Store) error {
	key, err := local.StoreSecret(stores.Key)
	if err == nil {
		o.Recipient, err = used.Recipient(ctx)
	}
	var engine shared.Probe
	if err == nil {
		engine, err = used.Probe(ctx)
	}
	if err != nil {
		return err
	}
	o.Location, o.Key, o.LostWhen = chosen.Shown(), cmp.Or(key.Reference.String(), key.Setting), "their own time to live"
	o.Engine, o.Role, o.where = &engine.Version, &engine.Role, o.Key
	return o.count(ctx, used)
}

// lostByKernel is when the kernel store's key is gone.
const lostByKernel = "reboot; three days unused"

// count fills in what is in a store.
func (o *shown) count(ctx context.Context, used store.Store) error {
	if file, ok := used.(*store.File); ok {
		// What cannot be opened is told here, and not as a warning.
		file.Unopened = func(number int, _ string) { o.Unopened = number }
	}
	list := used.List
	if kernel, ok := used.(*store.Kernel); ok {
		// Whose List tidies up.
		list = kernel.Entries
	}
	entries, err := list(ctx)
	for _, e := range entries {
		o.Profiles = append(o.Profiles, e.Profile)
	}
	slices.Sort(o.Profiles)
	o.Tokens, o.Profiles = len(entries), slices.Compact(o.Profiles)
	return err
}

// print shows it for people.
func (s *show) print(o shown) error {
	var b strings.Builder
	for _, line := range o.lines() {
		label, text, _ := strings.Cut(line, ": ")
		if text != "" {
			b.WriteString(s.UI.Hang(fmt.Sprintf("%-8s", label), text))
		}
	}
	return s.UI.Print(b.String())
}

// lines are what is shown, each with its label; one without a text is left out.
func (o shown) lines() []string {
	why := "chosen by " + o.ChosenBy
	if o.ChosenBy == "default" {
		why = "nothing names a store"
	}
	if o.Automatic {
		why = "auto (" + why + ")"
	}
	lines := []string{"store: " + o.Store, "why: " + why}
	for _, p := range o.PassedOver {
		lines = append(lines, ": not "+p.Store+": "+p.Reason)
	}
	lost := o.LostWhen
	if o.Store == "memory" && o.Automatic {
		lost += "; authctl store init has tokens kept in files"
	}
	return append(lines,
		"where: "+o.Location, "engine: "+o.engine(), "key: "+o.where, "public: "+o.Recipient,
		"tokens: "+o.contents(), "lost: "+lost)
}

// engine says what a shared store is on, nothing for others.
func (o shown) engine() string {
	if o.Engine == nil {
		return ""
	}
	return strings.TrimSuffix(cmp.Or(*o.Engine, "it does not tell this user what it is")+", "+*o.Role, ", ")
}

// contents says what is in the store.
func (o shown) contents() string {
	text := strconv.Itoa(o.Tokens)
	if len(o.Profiles) > 0 {
		text += ", of " + strings.Join(o.Profiles, ", ")
	}
	if o.Unopened > 0 {
		text += fmt.Sprintf("; %d more that this key does not open", o.Unopened)
	}
	return text
}
