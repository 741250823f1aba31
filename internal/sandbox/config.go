package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// configHeader marks a configuration that may be overwritten.
const configHeader = "# written by the authctl sandbox: every value is fake\n"

// Profile is a ready client of one of the services.
type Profile = service.Profile

// Profiles are the usual profile of each service, then those for other grants and other client authentication, and an
// easy one for programs that are not ours, whose secret is letters, digits and hyphens, which are the same in every
// encoding. base_url is there once the server has started.
func (s *Server) Profiles() []Profile {
	var list, further []Profile
	for _, svc := range s.services {
		ready := svc.Profiles(svc)
		list, further = append(list, ready[0]), append(further, ready[1:]...)
	}
	list = append(list, further...)
	if u := s.URL(); u != "" {
		for _, p := range list {
			p.Text["base_url"] = u
		}
	}
	return list
}

// learnSecrets tells the ledger what the services and their profiles hold, in the forms in which it could leak.
func (s *Server) learnSecrets() {
	for _, svc := range s.services {
		s.secrets.Learn(svc.Secrets...)
	}
	for _, p := range s.Profiles() {
		for name, secret := range p.Secrets {
			if name == "client_secret" {
				id, esc := p.Text["client_id"], url.QueryEscape
				s.secrets.Learn(base64.StdEncoding.EncodeToString([]byte(id+":"+secret)),
					base64.StdEncoding.EncodeToString([]byte(esc(id)+":"+esc(secret))))
			}
			// PEM breaks a key into lines; each is as secret as the whole.
			for line := range strings.Lines(secret) {
				if !strings.HasPrefix(line, "-----") {
					s.secrets.Learn(strings.TrimSpace(line))
				}
			}
		}
	}
}

// WriteConfig writes a configuration with all Profiles, mode 0600, and the secrets as files of a directory beside it,
// PATH less its extension and with .secrets, mode 0700. It replaces what it wrote before, and is an error when the
// file is anything else or the server has not started.
func (s *Server) WriteConfig(path string) error {
	if s.URL() == "" {
		return errors.New("sandbox: writing the configuration: the server has not started")
	}
	if err := mayReplace(path); err != nil {
		return err
	}
	dir := strings.TrimSuffix(strings.TrimSuffix(path, ".yaml"), ".yml") + ".secrets"
	if err := privateDir(dir); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(configHeader + "default_profile: pexip\nprofiles:\n")
	for _, p := range s.Profiles() {
		render(&b, p, filepath.Base(dir))
		for name, secret := range p.Secrets {
			if err := writePrivate(filepath.Join(dir, p.Name+"."+name), secret); err != nil {
				return err
			}
		}
	}
	return writePrivate(path, b.String())
}

// render writes the profile as YAML. Secrets are references relative to the configuration's directory.
func render(b *strings.Builder, p Profile, secretsDir string) {
	fmt.Fprintf(b, "  %s:\n", p.Name)
	keys := []string{
		"provider", "account", "base_url", "client_id", "client_secret", "private_key", "key_id",
		"client_auth", "api_key", "grant", "username", "password",
	}
	for _, key := range slices.Sorted(maps.Keys(p.Text)) {
		if !slices.Contains(keys, key) { // one that only a service has comes after what all have
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		if text, ok := p.Text[key]; ok {
			fmt.Fprintf(b, "    %s: %s\n", key, yamlString(text))
		}
		if _, ok := p.Secrets[key]; ok {
			fmt.Fprintf(b, "    %s: %s\n", key, yamlString("file:"+secretsDir+"/"+p.Name+"."+key))
		}
	}
	if len(p.Scopes) > 0 {
		b.WriteString("    scopes:\n")
		for _, scope := range p.Scopes {
			fmt.Fprintf(b, "      - %s\n", yamlString(scope))
		}
	}
}

// yamlString is a plain scalar where that is safe, else JSON, which is YAML's double-quoted style.
func yamlString(s string) string {
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	safe := func(r rune) bool { return letter(r) || r >= '0' && r <= '9' || strings.ContainsRune("-_./:", r) }
	if strings.IndexFunc(s, letter) == 0 && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 &&
		!strings.HasSuffix(s, ":") {
		return s
	}
	b, _ := json.Marshal(s) // a string always encodes
	return string(b)
}

// mayReplace refuses to overwrite a configuration somebody else wrote.
func mayReplace(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a file")
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err == nil && len(text) > 0 && !strings.HasPrefix(string(text), configHeader) {
		err = errors.New("the sandbox did not write it")
	}
	if err != nil {
		return fmt.Errorf("sandbox: refusing to overwrite %s: %w", path, err)
	}
	return nil
}

func privateDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if info, failed := os.Lstat(dir); errors.Is(err, fs.ErrExist) && failed == nil && info.IsDir() {
		err = os.Chmod(dir, 0o700) //nolint:gosec // a directory needs its x bit
	}
	if err != nil {
		return fmt.Errorf("sandbox: making the directory of secrets: %w", err)
	}
	return nil
}

// writePrivate replaces a file. It is another one, so that its mode is 0600 whatever the old one's was.
func writePrivate(path, text string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sandbox: replacing what it wrote before: %w", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("sandbox: writing its configuration: %w", err)
	}
	return nil
}
