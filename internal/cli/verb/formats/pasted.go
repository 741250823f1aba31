package formats

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/secret"
)

// Pasted is a token that was found in a text, and its end where that was beside it.
type Pasted struct {
	Token  string
	Expiry time.Time
}

// Find finds the token in what people paste: the token alone, in quotes or broken over
// lines, a header, what any format of token get prints, a reply of a token endpoint. It is
// not ok when there is none, or when it cannot be told from the rest.
func Find(text string) (found Pasted, ok bool) {
	text = strings.TrimSpace(plainText(text))
	if found, ok := tokenInJSON(text); ok {
		return found, true
	}
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	for i, line := range lines {
		name, token := readLine(line)
		if before, _, here := strings.Cut(line, "<<"); here && token == "" && verb.VariableName(before) && i+1 < len(lines) {
			name, token = before, lines[i+1] // a here-document of GitHub Actions
		}
		switch {
		case strings.HasSuffix(name, "_EXPIRES_ON"):
			if seconds, err := strconv.ParseInt(token, 10, 64); err == nil {
				found.Expiry = time.Unix(seconds, 0)
			}
		case token != "" && found.Token == "" && !strings.HasSuffix(name, "_TYPE"):
			found.Token = token
		}
	}
	if found.Token == "" {
		found.Token = bareToken(lines)
	}
	if inside := jwtWithin(found.Token, text); inside != "" {
		found.Token = inside
	}
	return found, found.Token != ""
}

// plainText returns UTF-8 without a byte order mark; PowerShell writes UTF-16.
func plainText(text string) string {
	for mark, order := range map[string]binary.ByteOrder{"\xff\xfe": binary.LittleEndian, "\xfe\xff": binary.BigEndian} {
		if wide, ok := strings.CutPrefix(text, mark); ok {
			units := make([]uint16, len(wide)/2)
			for i := range units {
				units[i] = order.Uint16([]byte(wide[2*i:]))
			}
			return string(utf16.Decode(units))
		}
	}
	return strings.TrimPrefix(text, "\uFEFF")
}

// tokenInJSON reads an object that a token endpoint or token get gives, and a text in
// quotes.
func tokenInJSON(text string) (found Pasted, ok bool) {
	var quoted string
	if json.Unmarshal([]byte(text), &quoted) == nil {
		return Find(quoted)
	}
	var object struct {
		AccessToken string          `json:"access_token"`
		Token       string          `json:"token"`
		IDToken     string          `json:"id_token"`
		ExpiresOn   json.RawMessage `json:"expires_on"`
		Status      struct {
			Token   string    `json:"token"`
			Expires time.Time `json:"expirationTimestamp"`
		} `json:"status"`
	}
	if !strings.HasPrefix(text, "{") || json.NewDecoder(bytes.NewReader([]byte(text))).Decode(&object) != nil {
		return Pasted{}, false
	}
	found.Expiry = object.Status.Expires
	// Terraform's external data sources know texts only.
	if seconds, err := strconv.ParseInt(strings.Trim(string(object.ExpiresOn), `"`), 10, 64); err == nil {
		found.Expiry = time.Unix(seconds, 0)
	}
	for _, token := range []string{object.AccessToken, object.Token, object.Status.Token, object.IDToken} {
		if found.Token == "" {
			found.Token = strings.TrimSpace(token)
		}
	}
	return found, found.Token != ""
}

// readLine returns the token of a line that says what it is, with the name of the variable
// where it sets one; empty where it does not.
func readLine(line string) (name, token string) {
	if data, ok := strings.CutPrefix(line, "::add-mask::"); ok {
		return "", strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(data)
	}
	if rest, ok := strings.CutPrefix(line, "##vso["); ok {
		_, data, _ := strings.Cut(rest, "]")
		return "", strings.NewReplacer("%3B", ";", "%5D", "]", "%0D", "\r", "%0A", "\n", "%AZP25", "%").Replace(data)
	}
	if token = inHeader(line); token != "" {
		return "", token
	}
	for _, form := range assignmentForms() {
		name, value, ok := form.cut(line)
		if ok && verb.VariableName(name) && strings.Trim(value, "=") != "" {
			return name, strings.TrimSpace(form.unquote(value))
		}
	}
	return "", ""
}

// inHeader returns the token of a header of RFC 6750 §2.1, with or without its name, alone,
// in a configuration for curl, or somewhere in a command.
func inHeader(line string) string {
	if quoted, ok := strings.CutPrefix(line, `header = "`); ok {
		line = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(strings.TrimSuffix(quoted, `"`))
	}
	lower := strings.ToLower(line)
	for _, start := range []string{"authorization: bearer ", "bearer ", "bearer: "} {
		if strings.HasPrefix(lower, start) {
			return strings.TrimSpace(line[len(start):])
		}
	}
	within := regexp.MustCompile(`(?i)authorization["']?\s*[:=]\s*["']?bearer\s+([^\s"',;]+)` +
		`|"(?:access_|id_)?token"\s*:\s*"([^"]+)"`)
	if match := within.FindStringSubmatch(line); match != nil {
		return match[1] + match[2]
	}
	return ""
}

// assignmentForm is how a shell, or a file that is like one, sets a variable.
type assignmentForm struct {
	cut     func(line string) (name, value string, ok bool)
	unquote func(value string) string
}

func assignmentForms() []assignmentForm {
	after := func(separator string, starts ...string) func(string) (string, string, bool) {
		return func(line string) (name, value string, ok bool) {
			for _, start := range starts {
				if rest, ok := strings.CutPrefix(line, start); ok {
					name, value, ok := strings.Cut(rest, separator)
					return strings.TrimSpace(name), strings.TrimSpace(value), ok
				}
			}
			return "", "", false
		}
	}
	return []assignmentForm{
		{after(" ", "set -gx ", "set -x ", "set -g "), unquoteFish},
		{after("=", "$env:", "$Env:", "$"), unquotePowerShell},
		{after("=", "export ", "declare -x "), unquotePOSIX},
		{after("=", "set ", ""), withoutQuotes}, // cmd.exe, dotenv, the file of GitHub Actions
	}
}

// unquotePOSIX takes the quotes of a POSIX shell off (XCU §2.2).
func unquotePOSIX(value string) string {
	var b strings.Builder
	quote := rune(0)
	escaped := false
	for _, r := range value {
		switch {
		case escaped:
			b.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unquoteFish takes off what fishQuote puts on.
func unquoteFish(value string) string {
	return strings.NewReplacer(`\\`, `\`, `\'`, "'", "'", "").Replace(value)
}

// unquotePowerShell takes off what powershellQuote puts on.
func unquotePowerShell(value string) string {
	return strings.ReplaceAll(withoutQuotes(value), "''", "'")
}

// withoutQuotes takes off a pair of quotes around a text.
func withoutQuotes(text string) string {
	for _, pair := range []string{`''`, `""`, "``", "“”", "‘’"} {
		open, shut := string([]rune(pair)[0]), string([]rune(pair)[1])
		if len(text) >= len(pair) && strings.HasPrefix(text, open) && strings.HasSuffix(text, shut) {
			return strings.TrimSpace(text[len(open) : len(text)-len(shut)])
		}
	}
	return text
}

// jwtWithin returns the one JWT in a text that was not understood, or was taken whole though
// it holds more: behind the name of another header or scheme, in an address or in brackets.
func jwtWithin(token, text string) string {
	if token == "" {
		token = text
	}
	// Of what begins so, only a header of JSON is one: RFC 7519 §5.
	all := regexp.MustCompile(`\beyJ[\w-]+(?:\.[\w-]*){2,4}`).FindAllString(token, -1)
	slices.Sort(all)
	if all = slices.Compact(all); len(all) != 1 || isOpaque(all[0]) {
		return ""
	}
	return all[0]
}

// bareToken returns the token that is all there is: on one line, or broken over several as
// a terminal or a mail does.
func bareToken(lines []string) string {
	whole := withoutQuotes(strings.Join(lines, ""))
	if strings.ContainsFunc(whole, unicode.IsSpace) || strings.HasPrefix(whole, "{") || strings.HasPrefix(whole, "[") {
		return ""
	}
	if len(lines) > 1 && isOpaque(whole) {
		return ""
	}
	return whole
}

// isOpaque reports whether a text is neither a JWT nor an encrypted one.
func isOpaque(text string) bool {
	_, encrypted := jose.ParseJWE(secret.New(text))
	_, err := jose.ParseJWT(secret.New(text))
	return err != nil && !encrypted
}
