package config

import "github.com/authctl/authctl/internal/config/stores"

// Store returns the store that the file names, "auto" when it names none. Errors are
// *setting.Error. A nil file names none.
func (f *File) Store() (stores.Choice, error) {
	e, err := f.entryOfStore("store")
	if err != nil {
		return stores.Choice{}, err
	}
	return e.Choice()
}

// StoreSecret returns where a secret of the store is, whose key is one of package stores, as the file says.
// Errors are *setting.Error. A nil file says nothing.
func (f *File) StoreSecret(key string) (stores.Secret, error) {
	e, err := f.entryOfStore(key)
	if err != nil || e.Text == "" {
		return stores.Secret{}, err
	}
	return e.Secret(f.options.Fetcher)
}

func (f *File) entryOfStore(key string) (stores.Entry, error) {
	e := stores.Entry{Key: key}
	if f == nil {
		return e, nil
	}
	var err error
	e.Text, e.Path, e.Line, err = f.top(key)
	return e, err
}
