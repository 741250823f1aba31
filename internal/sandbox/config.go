package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// configHeader marks a configuration that may be overwritten.
const configHeader = "# written by the authctl sandbox: every value is fake\n"

// Profile is a ready client of one of the services.
type Profile struct {
	Name string
	// Text are the settings with plain values: provider, base_url, client_id, …
	Text map[string]string
	// Scopes is the setting scopes; empty means that there is none.
	Scopes []string
	// Secrets are the settings that are secret references, with their values.
	Secrets map[string]string
}

// Profiles are the four ready profiles, then those for other grants and other
// client authentication: talkdesk-jwt, pexip-jwt, genesys-password, genesys-login,
// genesys-public, talkdesk-login, talkdesk-login-jwt and pexip-openid, and an easy one
// of each service: pexip-easy, talkdesk-easy, qmatic-easy, genesys-easy. base_url is there once the server has started.
func (s *Server) Profiles() []Profile {
	list := []Profile{
		s.secretProfile("pexip", s.pexip.clients[0], "account", "acme"),
		s.secretProfile("talkdesk", s.talkdesk.clients[0], "account", "acme"),
		s.secretProfile("qmatic", s.qmatic.clients[0], "account", "My Bank AB"),
		s.genesysProfile("genesys", s.genesys.clients[0], "grant", "client_credentials"),
	}
	list[0].Scopes = []string{"engage:appointments:readOnly"}
	list[1].Scopes = []string{"account:read", "contacts:read"}
	list[2].Scopes = []string{"com.qmatic.saas.appointments/external.appointment.book"}
	return append(append(list, s.furtherProfiles()...), s.easyProfiles()...)
}

// easyProfiles are clients for programs that are not ours: their secrets are letters,
// digits and hyphens, which are the same in every encoding, and Pexip signs their tokens
// with RS256.
func (s *Server) easyProfiles() []Profile {
	list := []Profile{
		s.secretProfile("pexip", *clientByID(s.pexip.clients, pexipEasy), "account", "acme"),
		s.secretProfile("talkdesk", *clientByID(s.talkdesk.clients, "sandbox-talkdesk-easy"), "account", "acme"),
		s.secretProfile("qmatic", *clientByID(s.qmatic.clients, "sandbox-qmatic-easy"), "account", "My Bank AB"),
		s.genesysProfile("genesys", *clientByID(s.genesys.clients, "sandbox-genesys-easy"), "grant", "client_credentials"),
	}
	for i := range list {
		list[i].Name += "-easy"
	}
	list[2].Scopes = []string{"com.qmatic.saas.appointments/external.appointment.book"}
	return list
}

func (s *Server) furtherProfiles() []Profile {
	pexipKey := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(s.pexip.clients[1].key)})
	// Talkdesk hands keys out in Base64 without PEM lines (https://docs.talkdesk.com/docs/signed-jwt).
	talkdeskKey := base64.StdEncoding.EncodeToString(pkcs8(s.talkdesk.clients[1].key))
	password := s.genesysProfile("genesys-password", s.genesys.clients[0], "grant", "password", "username", genesysUser)
	password.Secrets["password"] = s.genesys.account.current()
	public := s.genesysProfile("genesys-public", s.genesys.clients[1],
		"grant", "authorization_code", "client_auth", "none")
	delete(public.Secrets, "client_secret")
	login := s.secretProfile("talkdesk", s.talkdesk.clients[0], "account", "acme", "grant", "authorization_code")
	login.Name, login.Scopes = "talkdesk-login", []string{"openid", "account:read"}
	loginJWT := s.keyProfile("talkdesk", s.talkdesk.clients[1], talkdeskKey)
	loginJWT.Name, loginJWT.Scopes = "talkdesk-login-jwt", []string{"openid", "account:read"}
	loginJWT.Text["grant"] = "authorization_code"
	openid := s.secretProfile("pexip", s.pexip.clients[0], "account", "acme")
	openid.Name, openid.Scopes = "pexip-openid", []string{"openid"}
	return []Profile{
		s.keyProfile("talkdesk", s.talkdesk.clients[1], talkdeskKey),
		s.keyProfile("pexip", s.pexip.clients[1], string(pexipKey)),
		password,
		s.genesysProfile("genesys-login", s.genesys.clients[0], "grant", "authorization_code"),
		public, login, loginJWT, openid,
	}
}

func (s *Server) genesysProfile(name string, c client, more ...string) Profile {
	p := s.secretProfile("genesys", c, more...)
	p.Name = name
	p.Secrets["api_key"] = genesysAPIKey
	return p
}

// secretProfile is a profile of a client with a secret; more are further text
// settings, name and value by turns.
func (s *Server) secretProfile(provider string, c client, more ...string) Profile {
	p := Profile{
		Name:    provider,
		Text:    map[string]string{"provider": provider, "client_id": c.id},
		Secrets: map[string]string{"client_secret": c.secret},
	}
	if u := s.URL(); u != "" {
		p.Text["base_url"] = u
	}
	for i := 0; i+1 < len(more); i += 2 {
		p.Text[more[i]] = more[i+1]
	}
	return p
}

func (s *Server) keyProfile(provider string, c client, key string) Profile {
	p := s.secretProfile(provider, c, "account", "acme", "key_id", c.kid)
	p.Name = provider + "-jwt"
	p.Secrets = map[string]string{"private_key": key}
	return p
}

// learnProfileSecrets tells the ledger what the profiles hold, in the forms in
// which it could leak.
func (s *Server) learnProfileSecrets() {
	s.ledger.learn(TalkdeskPassword) // no profile has it: it is typed into the sign-in page
	for _, p := range s.Profiles() {
		for name, secret := range p.Secrets {
			switch name {
			case "private_key":
				// PEM breaks it into lines; each is as secret as the whole.
				for line := range strings.Lines(secret) {
					if !strings.HasPrefix(line, "-----") {
						s.ledger.learn(strings.TrimSpace(line))
					}
				}
			case "client_secret":
				id, esc := p.Text["client_id"], url.QueryEscape
				s.ledger.learn(secret)
				s.ledger.learn(base64.StdEncoding.EncodeToString([]byte(id + ":" + secret)))
				s.ledger.learn(base64.StdEncoding.EncodeToString([]byte(esc(id) + ":" + esc(secret))))
			default:
				s.ledger.learn(secret)
			}
		}
	}
}

// WriteConfig writes a configuration with all Profiles, mode 0600, and the
// secrets as files of a directory beside it, PATH less its extension and with
// .secrets, mode 0700. It replaces what it wrote before, and is an error
// when the file is anything else or the server has not started.
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
		p.render(&b, filepath.Base(dir))
		for name, secret := range p.Secrets {
			if err := writePrivate(filepath.Join(dir, p.Name+"."+name), secret); err != nil {
				return err
			}
		}
	}
	return writePrivate(path, b.String())
}

// render writes the profile as YAML. Secrets are references relative to the
// configuration's directory.
func (p Profile) render(b *strings.Builder, secretsDir string) {
	fmt.Fprintf(b, "  %s:\n", p.Name)
	for _, key := range []string{
		"provider", "account", "base_url", "client_id", "client_secret", "private_key", "key_id",
		"client_auth", "api_key", "grant", "username", "password",
	} {
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

// yamlString is a plain scalar where that is safe, else JSON, which is YAML's
// double-quoted style.
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
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("sandbox: looking at the configuration to write: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("sandbox: refusing to replace %s: it is not a file", path)
	case info.Size() == 0:
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sandbox: looking at the configuration to write: %w", err)
	}
	defer file.Close()
	head := make([]byte, len(configHeader))
	if _, err := io.ReadFull(file, head); err != nil || string(head) != configHeader {
		return fmt.Errorf("sandbox: refusing to overwrite %s: the sandbox did not write it", path)
	}
	return nil
}

func privateDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("sandbox: making the directory of secrets: %w", err)
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("sandbox: %s is not a directory", dir)
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a directory needs its x bit
		return fmt.Errorf("sandbox: closing the directory of secrets: %w", err)
	}
	return nil
}

// writePrivate replaces a file as a whole; a temporary file has mode 0600 from
// the start.
func writePrivate(path, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".sandbox-*")
	if err != nil {
		return fmt.Errorf("sandbox: writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("sandbox: writing %s: %w", path, err)
		}
	}()
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
