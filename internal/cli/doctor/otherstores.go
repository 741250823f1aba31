package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/store"
)

// checkAuto tries the stores that auto does, up to the one that works. Of those before it
// only what somebody may miss is a warning.
func (d *storeChecks) checkAuto(ctx context.Context, auto *store.Auto) {
	passed, told := map[string]error{}, []string{}
	for _, s := range auto.Stores {
		name := s.Name()
		text, err := d.try(ctx, s)
		told = append(told, name)
		if err != nil {
			passed[name] = err
			continue
		}
		if name == "memory" {
			d.keepsNothing(passed)
			break
		}
		if err, ok := passed["keyring"]; ok {
			d.goesWithout(err)
		}
		d.works(ctx, s, text+"; chosen by auto")
		break
	}
	d.tellOthers(ctx, told...)
}

// keepsNothing warns of what has auto keep nothing.
func (d *storeChecks) keepsNothing(passed map[string]error) {
	why := passed["keyring"]
	_, hint := verb.Judge(why)
	d.warn(check{
		Name: "keyring", Message: "no token is kept between calls: " + why.Error(), Hint: hint,
	})
	if why, ok := passed["kernel"]; ok {
		d.tell("kernel", "cannot be used: "+store.Reason(why))
	}
}

// goesWithout tells of a keyring that auto passes over. Where there is none, nobody misses
// it; in one that does not let us in are the logins.
func (d *storeChecks) goesWithout(why error) {
	if unusable, ok := errors.AsType[*store.UnusableError](why); ok && unusable.Problem == store.Unreachable {
		d.tell("keyring", "there is none: "+store.Reason(why))
		return
	}
	_, hint := verb.Judge(why)
	d.warn(check{
		Name: "keyring", Hint: hint,
		Message: "auto goes without it, which a profile that logs in cannot: " + why.Error(),
	})
}

// kernelKey tells of the key in the kernel's keyring, and of the room that is left there.
func (d *storeChecks) kernelKey(ctx context.Context, kernel *store.Kernel) {
	state, err := kernel.Inspect(ctx)
	if err != nil {
		d.fail(check{Name: "key"}, err)
		return
	}
	d.ok(check{Name: "key", Message: state.Where()})
	d.directory("directory", state.Dir)
	if q, known := kernel.Quota(); known && q.Scarce() {
		d.warn(check{
			Name: "quota", Hint: store.QuotaHint,
			Message: fmt.Sprintf("the kernel lets this user have little more: %d of %d keys, %d of %d bytes are used",
				q.Keys, q.MaxKeys, q.Bytes, q.MaxBytes),
		})
	}
}

// tellOthers says of each store that is not told of already whether it could be used.
func (d *storeChecks) tellOthers(ctx context.Context, told ...string) {
	if !slices.Contains(told, "keyring") {
		d.tellOther("keyring", d.keyring.check(ctx))
	}
	if !slices.Contains(told, "kernel") && runtime.GOOS == "linux" {
		d.tellOther("kernel", client.Usable(ctx, d.local.Kernel()))
	}
	if !slices.Contains(told, "file") {
		d.tellFile(ctx)
	}
}

func (d *storeChecks) tellOther(name string, err error) {
	text := "not chosen; could be used"
	if err != nil {
		text = "not chosen; cannot be used: " + store.Reason(err)
	}
	d.tell(name, text)
}

// tellFile says whether the file store has a key. No command is run for that.
func (d *storeChecks) tellFile(ctx context.Context) {
	said, err := d.local.StoreSecret(stores.Key)
	text := "not chosen; has no key: authctl store init makes one"
	if key, given := said.Inspect(ctx, d.local.Fetcher()); err == nil && given {
		text = "not chosen; its key is " + cmp.Or(key.Reference.String(), key.Setting)
		err = key.Err
	}
	if err != nil {
		text = "not chosen; its key cannot be had: " + err.Error()
	}
	d.tell("file", text)
}

// tell notes what is so, whatever it is: no command depends on it.
func (d *storeChecks) tell(name, text string) { d.ok(check{Name: name, Message: text, aside: true}) }
