package cli

import (
	"path"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/secret"
)

// curlCall is a command line of curl as curl reads it.
type curlCall struct {
	args []string
	// urls are the positional arguments and the values of --url.
	urls []string
	// given holds each option that occurs, by its long name, with its values; a switch
	// has none.
	given map[string][]string
}

// readCurl reads the arguments of curl. What it is not certain of is a usage error: an
// option that is read in another way than curl does could send the token elsewhere.
func readCurl(args []string) (*curlCall, error) {
	c := &curlCall{args: args, given: map[string][]string{}}
	options := true
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case options && arg == "--":
			options = false
			continue
		case !options || !strings.HasPrefix(arg, "-"):
			c.urls = append(c.urls, arg)
			continue
		}
		name, value, attached, err := c.option(arg)
		if err != nil {
			return nil, err
		}
		if name == "" {
			continue
		}
		if !attached {
			if i++; i >= len(args) {
				return nil, verb.Usagef("curl's option --%s wants a value", name)
			}
			value = args[i] //nolint:gosec // i is below len(args), as the line above sees to
		}
		c.given[name] = append(c.given[name], value)
	}
	c.urls = append(c.urls, c.given["url"]...)
	return c, c.checkValues()
}

// checkValues refuses values that get at the pipes between authctl and curl, or that
// are more than one line of a request.
func (c *curlCall) checkValues() error {
	for name, values := range c.given {
		for _, value := range values {
			if namesPipe(value) {
				return verb.Usagef("--%s: authctl uses the descriptors 3 and 4 itself; take a higher one", name)
			}
			if !isBody(name) && strings.ContainsAny(value, "\r\n") {
				return verb.Usagef("--%s: a value with a line break could hold another header", name)
			}
		}
	}
	for _, value := range append(c.given["request"], c.given["request-target"]...) {
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return verb.Usagef("%q cannot stand in the first line of a request", secret.CleanText(value))
		}
	}
	for _, value := range c.given["request-target"] {
		if value != "*" && !strings.HasPrefix(value, "/") {
			return verb.Usagef("--request-target %q names a host: begin it with /", secret.CleanText(value))
		}
	}
	return nil
}

// isBody reports whether an option's value may have lines.
func isBody(name string) bool {
	switch name {
	case "data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "form", "form-string", "json",
		"url-query", "write-out":
		return true
	}
	return false
}

// namesPipe reports whether a value names curl's descriptor 3 or 4, as a file or as a
// part like @FILE, NAME=<FILE or FILE;type=…
func namesPipe(value string) bool {
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune("@<=;:,\"'", r) }) {
		dir, base := path.Split(path.Clean(part))
		number := strings.TrimLeft(base, "0")
		if (strings.HasSuffix(dir, "dev/fd/") || strings.Contains(dir, "proc/") && strings.HasSuffix(dir, "/fd/")) &&
			(number == "3" || number == "4") {
			return true
		}
	}
	return false
}

// option reads one argument with options. It returns the one that takes a value, empty
// when none does, and the value when it is attached (-oFILE).
func (c *curlCall) option(arg string) (name, value string, attached bool, err error) {
	if long, ok := strings.CutPrefix(arg, "--"); ok {
		kind, name, err := c.note(long)
		if kind != curlValue {
			name = ""
		}
		return name, "", false, err
	}
	for i := 1; i < len(arg); i++ {
		long := curlLetter(arg[i])
		if long == "" {
			return "", "", false, unknownOption("-" + string(rune(arg[i])))
		}
		kind, name, err := c.note(long)
		if err != nil || kind == curlValue {
			return name, arg[i+1:], i+1 < len(arg), err
		}
	}
	if len(arg) == 1 {
		return "", "", false, unknownOption(arg)
	}
	return "", "", false, nil
}

// note judges an option by its long name and notes a switch.
func (c *curlCall) note(long string) (curlKind, string, error) {
	name, negated := strings.CutPrefix(long, "no-")
	kind := curlOption(name)
	switch {
	case kind == curlRefused:
		return kind, name, verb.Usagef("curl's option --%s cannot be used here: %s", long, refusedOption(name))
	case kind == curlUnknown, negated && kind != curlSwitch:
		return kind, name, unknownOption("--" + long)
	case kind == curlSwitch && negated:
		c.given["no-"+name] = nil
	case kind == curlSwitch:
		c.given[name] = nil
	}
	return kind, name, nil
}

func unknownOption(text string) error {
	return verb.Usagef("%q is not an option of curl that authctl knows, so it cannot tell where the token would go; "+
		"write options in full, or use authctl exec", text)
}

func (c *curlCall) has(names ...string) bool {
	for _, name := range names {
		if _, ok := c.given[name]; ok {
			return true
		}
	}
	return false
}

// isPlain reports whether a URL is one of plain http, which is for this machine.
func (c *curlCall) isPlain() bool {
	return slices.ContainsFunc(c.urls, func(u string) bool { return strings.HasPrefix(strings.ToLower(u), "http:") })
}

// isSingle reports whether one request is asked for, and no more.
func (c *curlCall) isSingle() bool {
	return len(c.urls) == 1 && (c.has("globoff") || !strings.ContainsAny(c.urls[0], "{}[]"))
}

// follows returns the option with which curl follows redirects, empty when it does not.
func (c *curlCall) follows() string {
	// All of curl's spellings, refused ones too: this list is the only one.
	for _, name := range []string{"location", "follow", "location-trusted"} {
		if c.has(name) {
			return name
		}
	}
	return ""
}

// readsStdin reports whether an option may read stdin.
func (c *curlCall) readsStdin() bool {
	for name, values := range c.given {
		if name == "output" || name == "data-raw" || name == "form-string" {
			continue
		}
		for _, value := range values {
			file, _, _ := strings.Cut(value[strings.LastIndexAny(value, "@<")+1:], ";")
			if file == "-" || strings.Contains(value, "@-") || strings.Contains(value, "<-") ||
				name == "upload-file" && (value == "." || strings.ContainsAny(value, "{[")) {
				return true
			}
		}
	}
	return false
}
