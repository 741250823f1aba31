package store

import "testing"

func TestQuotaOf(t *testing.T) {
	t.Parallel()
	const text = "    0:    12 11/11 4/1000000 126/25000000\n 1000:     5 5/5 5/200 18100/20000\n 1001: 181 181/181 181/200 9/20000\n" +
		" 1002: odd\n"
	for uid, want := range map[int]struct {
		quota         KernelQuota
		known, scarce bool
	}{
		0:    {KernelQuota{4, 1000000, 126, 25000000}, true, false},
		1000: {KernelQuota{5, 200, 18100, 20000}, true, true},
		1001: {KernelQuota{181, 200, 9, 20000}, true, true},
		1002: {},
		7:    {},
	} {
		got, known := quotaOf(uid, text)
		if got != want.quota || known != want.known || got.Scarce() != want.scarce {
			t.Errorf("uid %d: %+v, %t, scarce %t", uid, got, known, got.Scarce())
		}
	}
}
