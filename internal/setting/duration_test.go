package setting

import (
	"strings"
	"testing"
	"time"
)

func TestLifetime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		"": time.Duration(0), "30m": 30 * time.Minute, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "90": 90 * time.Second,
		"1s": time.Second, "2.5s": 2500 * time.Millisecond, "87600h": 87600 * time.Hour,
		"0": "less than a second", "0s": "less than a second", "10ms": "less than a second",
		"-5m": "is not how long", "-5": "is not how long", "soon": "is not how long", "11y": "is not how long",
		"30 m": "is not how long", "30min": "is not how long", "1d": "is not how long", "1e9": "is not how long",
		"NaN": "is not how long", "9999999999999h": "is not how long",
		"87601h": "over ten years", "1000000000": "over ten years", "9999999999": "is not how long",
	} {
		got, err := New("p", map[string]Value{"lifetime": {Text: text, Origin: "x.yaml"}}).Lifetime()
		if lives, ok := want.(time.Duration); ok {
			if err != nil || got != lives {
				t.Errorf("%q: %s, %v; want %s", text, got, err, lives)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want.(string)) || !strings.HasPrefix(err.Error(), "profile p: lifetime is") {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
}
