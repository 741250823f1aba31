package main

import "regexp"

// steady replaces what is another each time, so that the picture changes only when the program does: the sandbox's
// port, times and durations, and the seconds that passed between issuing and showing a token.
func steady(text string) string {
	for _, rule := range []struct{ pattern, by string }{
		{`127\.0\.0\.1:[0-9]+`, "127.0.0.1:40123"},
		{`issued in [0-9]+\.[0-9] ms`, "issued in 4.0 ms"},
		{`cache in [0-9]+\.[0-9] ms`, "cache in 1.2 ms"},
		{`20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8}`, "2026-01-15 09:30:00"},
		{`for (29[0-9]|300) s`, "for 300 s"},
		{`for (59[0-9]|600) s`, "for 600 s"},
		{`for (359[0-9]|3600) s`, "for 3600 s"},
		{`for (4319[0-9]|43200) s`, "for 43200 s"},
	} {
		text = regexp.MustCompile(rule.pattern).ReplaceAllString(text, rule.by)
	}
	return text
}
