package har

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/network"
)

// MaxBody is how many bytes of a body are kept.
const MaxBody = 256 << 10

// body is what is shown of a body.
type body struct {
	text   string
	params []param
	// comment says what is not shown, and why.
	comment string
}

// body is what is shown of the beginning of a body, by its media type. What cannot be read is not
// shown: nobody could look for a secret in it.
func (e *eraser) body(head http.Header, of network.Beginning) (shown body) {
	if len(of.Text) == 0 {
		return shown
	}
	text, cut, err := decoded(of.Text, head.Get("Content-Encoding"))
	if err != nil {
		return body{comment: fmt.Sprintf("%d bytes that are not shown: %v", of.Size, err)}
	}
	cut = cut || of.Cut()
	kind, parameters, _ := mime.ParseMediaType(head.Get("Content-Type"))
	switch {
	case kind == "multipart/form-data":
		shown = e.parts(text, parameters["boundary"])
	case !utf8.Valid(whole(text)) || bytes.IndexByte(text, 0) >= 0:
		return body{comment: fmt.Sprintf("%d bytes that are no text", of.Size)}
	case kind == "application/x-www-form-urlencoded":
		shown = e.form(string(text), cut)
	default:
		shown = e.free(string(text), cut)
	}
	if of.Cut() {
		shown.comment = fmt.Sprintf("cut: the first %d of %d bytes", len(of.Text), of.Size)
	}
	return shown
}

// decoded takes back what Content-Encoding says (RFC 9110 §8.4.1).
func decoded(text []byte, encoding string) (plain []byte, cut bool, _ error) {
	var from io.Reader
	var err error
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return text, false, nil
	case "gzip", "x-gzip":
		from, err = gzip.NewReader(bytes.NewReader(text))
	case "deflate":
		// Some send zlib's form, as they should, and others the bare one.
		if from, err = zlib.NewReader(bytes.NewReader(text)); err != nil {
			from, err = flate.NewReader(bytes.NewReader(text)), nil
		}
	default:
		return nil, false, fmt.Errorf("encoded as %.20q", encoding)
	}
	if err != nil {
		return nil, false, fmt.Errorf("they are not %.20q", encoding)
	}
	var b bytes.Buffer
	// What came before a break is shown.
	_, err = io.Copy(&b, io.LimitReader(from, MaxBody))
	return b.Bytes(), err != nil || b.Len() == MaxBody, nil //nolint:nilerr // as said above
}

// whole is a text without a rune at its end that was cut.
func whole(text []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if last := text[len(text)-i]; utf8.RuneStart(last) {
			if last >= utf8.RuneSelf && !utf8.FullRune(text[len(text)-i:]) {
				return text[:len(text)-i]
			}
			break
		}
	}
	return text
}

// form is what is shown of a form. Of one that is cut the last parameter is not shown: of half a
// secret nobody knows whose it is.
func (e *eraser) form(text string, cut bool) body {
	if cut {
		text = text[:max(0, strings.LastIndexByte(text, '&'))]
	}
	shown := body{}
	for _, p := range params(e, text) {
		shown.params = append(shown.params, param{Name: p.Name, Value: p.Value})
	}
	return shown
}

// parts are what is shown of multipart/form-data (RFC 7578). A part that is cut is not shown.
func (e *eraser) parts(text []byte, boundary string) body {
	shown := body{}
	reader := multipart.NewReader(bytes.NewReader(text), boundary)
	for {
		part, err := reader.NextRawPart()
		if err != nil {
			return shown
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return shown
		}
		p := param{
			Name: e.name(part.FormName()), FileName: e.guess(part.FileName()),
			ContentType: e.kept(part.Header.Get("Content-Type")),
		}
		switch inner := e.body(http.Header(part.Header), network.Beginning{Text: value, Size: int64(len(value))}); {
		case classOf(part.FormName(), inParams) == hidden:
			p.Value = e.hidden(string(value))
		case part.FileName() == "" && inner.params == nil && inner.comment == "":
			p.Value = e.value(part.FormName(), string(value), inParams)
		default:
			p.Value = inner.text + inner.comment
		}
		shown.params = append(shown.params, p)
	}
}

// free is what is shown of JSON, a JWT, a page or another text. Of what is cut the last word is not
// shown, which may be half a secret.
func (e *eraser) free(text string, cut bool) body {
	trimmed := strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	if shown, ok := e.jwt(trimmed); ok {
		return body{text: shown}
	}
	if trimmed != "" && strings.IndexByte("{[\"", trimmed[0]) >= 0 {
		shown, whole := e.jsonPart(trimmed)
		switch {
		case whole:
			return body{text: shown}
		case shown != "":
			return body{text: shown, comment: "what follows is cut or no JSON, and is not shown"}
		}
	}
	if cut {
		text = text[:strings.LastIndexFunc(text, func(r rune) bool { return !inWord(r) })+1]
	}
	return body{text: e.sentence(text, true)}
}
