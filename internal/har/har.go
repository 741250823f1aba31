// Package har writes what was asked of services, and what they said, as an HTTP Archive 1.2
// (http://www.softwareishard.com/blog/har-12-spec/), for the support of a service to read: with
// all secrets replaced by fingerprints. What is no secret to anybody is decided by name, and the
// rest by what it looks like, so that what nobody has thought of is rather not shown.
package har

import "time"

// archive is the file.
type archive struct {
	Log log `json:"log"`
}

type log struct {
	Version string   `json:"version"`
	Creator creator  `json:"creator"`
	Pages   []string `json:"pages"`
	Comment string   `json:"comment,omitempty"`
	Entries []*entry `json:"entries"`
}

type creator struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// entry is one request with its reply. Names that begin with _ are not of the specification, which
// allows them (§ Custom Fields).
type entry struct {
	Started time.Time `json:"startedDateTime"`
	// Time is in milliseconds, as all of Timings.
	Time     float64  `json:"time"`
	Request  request  `json:"request"`
	Response response `json:"response"`
	Cache    struct{} `json:"cache"`
	Timings  timings  `json:"timings"`
	ServerIP string   `json:"serverIPAddress,omitempty"`
	Comment  string   `json:"comment,omitempty"`
}

type request struct {
	Method      string    `json:"method"`
	URL         string    `json:"url"`
	HTTPVersion string    `json:"httpVersion"`
	Cookies     []pair    `json:"cookies"`
	Headers     []pair    `json:"headers"`
	Query       []pair    `json:"queryString"`
	Body        *postData `json:"postData,omitempty"`
	// HeadersSize is -1, which means that it is not known: with fingerprints in it a head has
	// another size than the one that was sent.
	HeadersSize int   `json:"headersSize"`
	BodySize    int64 `json:"bodySize"`
}

type response struct {
	// Status is 0 where there was no reply; then Error says why.
	Status      int     `json:"status"`
	StatusText  string  `json:"statusText"`
	HTTPVersion string  `json:"httpVersion"`
	Cookies     []pair  `json:"cookies"`
	Headers     []pair  `json:"headers"`
	Content     content `json:"content"`
	RedirectURL string  `json:"redirectURL"`
	HeadersSize int     `json:"headersSize"`
	BodySize    int64   `json:"bodySize"`
	Error       string  `json:"_error,omitempty"`
}

// pair is a name with its value.
type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type postData struct {
	MimeType string `json:"mimeType"`
	// Params are those of a form, Text any other body.
	Params  []param `json:"params"`
	Text    string  `json:"text"`
	Comment string  `json:"comment,omitempty"`
}

type param struct {
	Name        string `json:"name"`
	Value       string `json:"value,omitempty"`
	FileName    string `json:"fileName,omitempty"`
	ContentType string `json:"contentType,omitempty"`
}

type content struct {
	Size     int64  `json:"size"`
	MimeType string `json:"mimeType"`
	Text     string `json:"text,omitempty"`
	Comment  string `json:"comment,omitempty"`
}

// timings are in milliseconds, -1 for what did not happen. Connect includes SSL.
type timings struct {
	Blocked float64 `json:"blocked"`
	DNS     float64 `json:"dns"`
	Connect float64 `json:"connect"`
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
	SSL     float64 `json:"ssl"`
}
