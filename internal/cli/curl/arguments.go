package curl

import (
	"path"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/secret"
)

// call is a command line of curl as curl reads it.
type call struct {
	args []string
	// urls are the positional arguments and the values of --url.
	urls []string
	// given holds each option that occurs, by its long name, with its values; a switch
	// has none.
	given map[string][]string

	known options
}

// read reads the arguments of curl. What it is not certain of is a usage error: an option
// that is read in another way than curl does could send the token elsewhere.
func read(args []string) (*call, error) {
	c := &call{args: args, given: map[string][]string{}, known: knownOptions()}
	for rest := args; len(rest) > 0; {
		arg := rest[0]
		rest = rest[1:]
		switch {
		case arg == "--":
			c.urls, rest = append(c.urls, rest...), nil
		case strings.HasPrefix(arg, "-"):
			var err error
			if rest, err = c.options(arg, rest); err != nil {
				return nil, err
			}
		default:
			c.urls = append(c.urls, arg)
		}
	}
	c.urls = append(c.urls, c.given["url"]...)
	return c, c.checkValues()
}

// options reads one argument with options, the last of which may take its value from the
// arguments that follow. It returns what is left of those.
func (c *call) options(arg string, rest []string) ([]string, error) {
	if long, ok := strings.CutPrefix(arg, "--"); ok {
		return c.option(long, rest)
	}
	if arg == "-" {
		return nil, unknownOption(arg)
	}
	for letters := arg[1:]; letters != ""; {
		long, ok := c.known.letters[letters[:1]]
		if !ok {
			return nil, unknownOption("-" + letters[:1])
		}
		letters = letters[1:]
		if o, _ := c.known.find(long); o.takes && letters != "" { // -oFILE
			rest, letters = append([]string{letters}, rest...), ""
		}
		var err error
		if rest, err = c.option(long, rest); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// option judges an option by its long name and notes it. It returns what is left of the
// arguments that follow.
func (c *call) option(long string, rest []string) ([]string, error) {
	name, negated := strings.CutPrefix(long, "no-")
	o, known := c.known.find(name)
	switch {
	case o.refused != "":
		return nil, verb.Usagef("curl's option --%s cannot be used here: %s", long, o.refused)
	case !known, negated && o.takes:
		return nil, unknownOption("--" + long)
	case !o.takes:
		c.given[long] = nil
		return rest, nil
	case len(rest) == 0:
		return nil, verb.Usagef("curl's option --%s wants a value", long)
	}
	c.given[name] = append(c.given[name], rest[0])
	return rest[1:], nil
}

func unknownOption(text string) error {
	return verb.Usagef("%q is not an option of curl that authctl knows, so it cannot tell where the token would go; "+
		"write options in full, or use authctl exec", text)
}

// first returns the first of some options that is given, empty when none is.
func (c *call) first(names ...string) string {
	for _, name := range names {
		if _, ok := c.given[name]; ok {
			return name
		}
	}
	return ""
}

func (c *call) has(names ...string) bool { return c.first(names...) != "" }

// isPlain reports whether a URL is one of plain http, which is for this machine.
func (c *call) isPlain() bool {
	return slices.ContainsFunc(c.urls, func(u string) bool { return strings.HasPrefix(strings.ToLower(u), "http:") })
}

// isSingle reports whether one request is asked for, and no more.
func (c *call) isSingle() bool {
	return len(c.urls) == 1 && (c.has("globoff") || !strings.ContainsAny(c.urls[0], "{}[]"))
}

// follows returns the option with which curl follows redirects, empty when it does not.
func (c *call) follows() string {
	// All of curl's spellings, refused ones too: this list is the only one.
	return c.first("location", "follow", "location-trusted")
}

// readsStdin reports whether an option may read stdin.
func (c *call) readsStdin() bool {
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

// checkValues refuses values that get at the pipes between authctl and curl, or that
// are more than one line of a request.
func (c *call) checkValues() error {
	for name, values := range c.given {
		for _, value := range values {
			if namesPipe(value) {
				return verb.Usagef("--%s: authctl uses the descriptors 3 and 4 itself; take a higher one", name)
			}
			if o, _ := c.known.find(name); !o.lines && strings.ContainsAny(value, "\r\n") {
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
