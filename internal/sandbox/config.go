package sandbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// configHeader marks a configuration that may be overwritten.
const configHeader = "# written by the authctl sandbox: every value is fake\n"

// Profiles are the usual one of each service, then those for other grants, other client authentication, and programs
// that are not ours. base_url is there once the server has started.
func (s *Server) Profiles() []Profile {
	var list, further []Profile
	for _, svc := range s.services {
		list, further = append(list, svc.Profiles[0]), append(further, svc.Profiles[1:]...)
	}
	return append(list, further...)
}

// learnSecrets tells the ledger what the profiles hold, in the forms in which it could leak.
func (s *Server) learnSecrets() {
	s.secrets.Learn(TalkdeskPassword)
	for _, p := range s.Profiles() {
		id, secret, esc := p.Text["client_id"], p.Secrets["client_secret"], url.QueryEscape
		for _, basic := range []string{id + ":" + secret, esc(id) + ":" + esc(secret)} {
			s.secrets.Learn(base64.StdEncoding.EncodeToString([]byte(basic)))
		}
		for _, secret := range p.Secrets {
			for line := range strings.Lines(secret) { // PEM breaks a key into lines; each is as secret as the whole
				if !strings.HasPrefix(line, "-----") {
					s.secrets.Learn(strings.TrimSpace(line))
				}
			}
		}
	}
}

// WriteConfig writes a configuration with all Profiles, mode 0600, and the secrets as files of a directory beside it,
// PATH less its extension and with .secrets, mode 0700, in which ca.pem is what the port with TLS is by. It replaces
// what it wrote before, and is an error when the file is anything else. The server has started.
func (s *Server) WriteConfig(path string) error {
	if err := mayReplace(path); err != nil {
		return err
	}
	dir := strings.TrimSuffix(strings.TrimSuffix(path, ".yaml"), ".yml") + ".secrets"
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		err = os.Chmod(dir, 0o700) //nolint:gosec // a directory needs its x bit
	}
	if err != nil {
		return fmt.Errorf("sandbox: making the directory of secrets: %w", err)
	}
	if err := writePrivate(filepath.Join(dir, "ca.pem"), s.CA()); err != nil {
		return err
	}
	profiles := yaml.Node{Kind: yaml.MappingNode}
	scalar := func(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }
	for _, p := range s.Profiles() {
		settings := map[string]any{}
		for name, text := range p.Text {
			settings[name] = text
		}
		if len(p.Scopes) > 0 {
			settings["scopes"] = p.Scopes
		}
		for name, secret := range p.Secrets {
			file := filepath.Join(dir, p.Name+"."+name)
			if err := writePrivate(file, secret); err != nil {
				return err
			}
			settings[name] = "file:" + filepath.Base(dir) + "/" + filepath.Base(file) // relative to the configuration
		}
		delete(settings, "provider") // it goes first, as people write it
		var value yaml.Node
		_ = value.Encode(settings) // strings always encode
		value.Content = append([]*yaml.Node{scalar("provider"), scalar(p.Text["provider"])}, value.Content...)
		profiles.Content = append(profiles.Content, scalar(p.Name), &value)
	}
	text := bytes.NewBufferString(configHeader + "default_profile: pexip\n")
	e := yaml.NewEncoder(text)
	e.SetIndent(2)
	_ = e.Encode(map[string]*yaml.Node{"profiles": &profiles})
	return writePrivate(path, text.String())
}

// mayReplace refuses to overwrite a configuration somebody else wrote.
func mayReplace(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var text []byte
	if err == nil && info.Mode().IsRegular() {
		text, err = os.ReadFile(path)
	}
	if err == nil && (!info.Mode().IsRegular() || len(text) > 0 && !strings.HasPrefix(string(text), configHeader)) {
		err = errors.New("the sandbox did not write it")
	}
	if err != nil {
		return fmt.Errorf("sandbox: refusing to overwrite %s: %w", path, err)
	}
	return nil
}

// writePrivate replaces a file. It is another one, so that its mode is 0600 whatever the old one's was.
func writePrivate(path, text string) error {
	_ = os.Remove(path)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("sandbox: writing its configuration: %w", err)
	}
	return nil
}
