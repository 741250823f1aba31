package store

import (
	"fmt"
	"os"
	"strings"

	"github.com/authctl/authctl/internal/moment"
)

// KernelQuota is how much of what the kernel lets a user keep in keyrings is used, by all of
// the user's programs (keyrings(7), /proc/key-users).
type KernelQuota struct{ Keys, MaxKeys, Bytes, MaxBytes int }

// QuotaHint is what to do where a user has no room for keys, or little.
const QuotaHint = "remove keys that nobody needs (keyctl show @u), or raise kernel.keys.maxkeys and maxbytes"

// Scarce reports whether less than a tenth is left.
func (q KernelQuota) Scarce() bool {
	return 10*(q.MaxKeys-q.Keys) < q.MaxKeys || 10*(q.MaxBytes-q.Bytes) < q.MaxBytes
}

// Where says for people where the key is and how long it stays there.
func (s KernelState) Where() string {
	switch {
	case !s.Key:
		return "in " + s.Keyring + ", once a token is kept"
	case s.Left == 0:
		return "in " + s.Keyring
	}
	return "in " + s.Keyring + ", for " + moment.Lasting(s.Left) + " more; each use makes that three days"
}

// Quota returns what this user has used; false where that is not known.
func (k *Kernel) Quota() (KernelQuota, bool) {
	text, err := os.ReadFile("/proc/key-users")
	if err != nil {
		return KernelQuota{}, false
	}
	return quotaOf(os.Geteuid(), string(text))
}

// quotaOf reads a user's line: the uid, uses, keys and those that are whole, then keys and
// bytes with what is allowed of each.
func quotaOf(uid int, text string) (KernelQuota, bool) {
	for line := range strings.Lines(text) {
		var q KernelQuota
		var who, uses, keys, whole int
		_, err := fmt.Sscanf(strings.TrimSpace(line), "%d: %d %d/%d %d/%d %d/%d",
			&who, &uses, &keys, &whole, &q.Keys, &q.MaxKeys, &q.Bytes, &q.MaxBytes)
		if err == nil && who == uid && q.MaxKeys > 0 && q.MaxBytes > 0 {
			return q, true
		}
	}
	return KernelQuota{}, false
}
