package files

import (
	"cmp"
	"io/fs"
	"os"
	"os/user"
	"strconv"
)

// Mine reports whether a file belongs to this user. On Windows owners and mode bits say
// nothing, where a user's profile directory is closed to others: every file passes.
func Mine(info fs.FileInfo) bool {
	uid, _, known := owner(info)
	return !known || uid == os.Geteuid()
}

// MineOrRoots reports whether a file belongs to this user or to root.
func MineOrRoots(info fs.FileInfo) bool {
	uid, _, known := owner(info)
	return uid == 0 && known || Mine(info)
}

// Owner returns the name and the number of a file's owner, the number alone where it has no
// name.
func Owner(info fs.FileInfo) string {
	number := "uid " + ownerNumber(info)
	if name := ownerName(info); name != "" {
		return name + ", " + number
	}
	return number
}

func ownerNumber(info fs.FileInfo) string {
	uid, _, _ := owner(info)
	return strconv.Itoa(uid)
}

// ownerName is empty when nobody knows it.
func ownerName(info fs.FileInfo) string { return userName(ownerNumber(info)) }

func userName(uid string) string {
	u, err := user.LookupId(uid)
	if err != nil {
		return ""
	}
	return u.Username
}

// Me is how this user is called in a command such as chown.
func Me() string {
	uid := strconv.Itoa(os.Geteuid())
	return cmp.Or(userName(uid), uid)
}

// writableByOthers reports whether another user may change a file: anybody, or a
// group that is not the user's own. Many systems give each user a group of their
// own and a umask that lets it write.
func writableByOthers(info fs.FileInfo) bool { return othersMay(info, 0o022) }

// ReadableByOthers reports whether another user may read a file, by the rule of
// writableByOthers.
func ReadableByOthers(info fs.FileInfo) bool { return othersMay(info, 0o044) }

func othersMay(info fs.FileInfo, mask fs.FileMode) bool {
	_, gid, known := owner(info)
	if gid == os.Getegid() {
		mask &= 0o007
	}
	return known && info.Mode().Perm()&mask != 0
}
