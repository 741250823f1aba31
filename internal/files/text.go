package files

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bom is the byte order mark that some editors put before UTF-8.
const bom = "\uFEFF"

// Text returns what a file or a command holds as text: without a byte order mark.
// UTF-16, which Windows PowerShell writes with >, is an *Error.
func Text(raw []byte) ([]byte, error) {
	if IsMarkedUTF16(raw) || len(raw) > 1 && (raw[0] == 0) != (raw[1] == 0) {
		return nil, &Error{"", "is in UTF-16", "save it as UTF-8 (in Windows PowerShell: Out-File -Encoding ascii)"}
	}
	return bytes.TrimPrefix(raw, []byte(bom)), nil
}

// IsMarkedUTF16 reports whether bytes are UTF-16 and say so.
func IsMarkedUTF16(raw []byte) bool {
	return bytes.HasPrefix(raw, []byte("\xFF\xFE")) || bytes.HasPrefix(raw, []byte("\xFE\xFF"))
}

// Tidy returns an identifier, a path or another word without what a paste leaves around
// it and nobody means: byte order marks, zero-width characters, line ends, blanks.
func Tidy(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unseen(r) })
}

// TidySecret returns a secret without byte order marks and line ends around it. Blanks
// stay: they may be meant, but where there is nothing else. What is no text stays as it is.
func TidySecret(text string) string {
	switch {
	case isDER(text):
		return text
	case Tidy(text) == "":
		return ""
	}
	return strings.Trim(text, bom+"\r\n")
}

// isDER reports whether a text is in truth the bytes of a SEQUENCE in ASN.1's DER or BER, whose
// length takes more than an octet (X.690 §8.1.3): a PKCS#12 file. UTF-8 never begins so.
func isDER(text string) bool {
	return len(text) > 1 && text[0] == 0x30 && text[1] >= 0x80 && text[1] <= 0x84
}

// notBase64 reports whether r is neither of the alphabet of RFC 4648 §4 nor the end of a line.
func notBase64(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("+/=\r\n", r)
}

// unseen reports whether r shows nothing and takes no room: a byte order mark, a
// zero-width space, a soft hyphen, a mark of direction.
func unseen(r rune) bool { return r > unicode.MaxASCII && unicode.Is(unicode.Cf, r) }

// Odd says what in a text was hardly meant, because it cannot be seen: "holds an
// invisible character (U+200B)". It is empty when there is nothing.
func Odd(text string) string {
	for _, r := range text {
		switch {
		case unseen(r):
			return fmt.Sprintf("holds an invisible character (U+%04X)", r)
		case r > unicode.MaxASCII && unicode.IsSpace(r):
			return fmt.Sprintf("holds a blank that is not the usual one (U+%04X)", r)
		}
	}
	return ""
}

// OddSecret is Odd for a secret as TidySecret leaves it, where blanks around it and a
// line break in it are odd too. It tells nothing of the secret but that.
func OddSecret(text string) string {
	begins, ends := strings.TrimLeft(text, " \t") != text, strings.TrimRight(text, " \t") != text
	switch {
	case strings.Contains(text, "-----BEGIN") || strings.Contains(text, "AGE-SECRET-KEY-"):
		// A key, whose reader knows what may stand around it.
		return ""
	case isDER(text), strings.HasPrefix(text, "MI") && !strings.ContainsFunc(text, notBase64):
		// The like in binary, or in base64, in lines or not.
		return ""
	case isQuoted(text):
		return "is in quotes"
	case begins && ends:
		return "begins and ends with a blank"
	case begins:
		return "begins with a blank"
	case ends:
		return "ends with a blank"
	case strings.ContainsAny(text, "\r\n"):
		return "has more than one line"
	case !utf8.ValidString(text):
		return "is not in UTF-8"
	}
	if at := strings.IndexFunc(text, unicode.IsControl); at >= 0 {
		r, _ := utf8.DecodeRuneInString(text[at:])
		return fmt.Sprintf("holds a control character (U+%04X)", r)
	}
	return Odd(text)
}
