// Package secretservice is a client of the Secret Service, the keyring of a desktop on Linux
// and BSD (https://specifications.freedesktop.org/secret-service/): GNOME Keyring, KWallet,
// KeePassXC. On other systems it is empty.
package secretservice
