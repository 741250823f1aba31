package har

// mask has every text that came from outside go through a function.
func (e *entry) mask(through func(string) string) {
	q, s := &e.Request, &e.Response
	for _, text := range []*string{&q.URL, &s.RedirectURL, &s.Error, &s.Content.Text, &s.Content.MimeType} {
		*text = through(*text)
	}
	for _, pairs := range [][]pair{q.Cookies, q.Headers, q.Query, s.Cookies, s.Headers} {
		for i := range pairs {
			pairs[i].Name, pairs[i].Value = through(pairs[i].Name), through(pairs[i].Value)
		}
	}
	if q.Body == nil {
		return
	}
	q.Body.Text, q.Body.MimeType = through(q.Body.Text), through(q.Body.MimeType)
	for i := range q.Body.Params {
		p := &q.Body.Params[i]
		p.Name, p.Value = through(p.Name), through(p.Value)
		p.FileName, p.ContentType = through(p.FileName), through(p.ContentType)
	}
}
