package moment

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"
)

func TestLasting(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"},
		{340 * time.Millisecond, "300ms"},
		{1550 * time.Millisecond, "1.5s"},
		{9 * time.Second, "9s"},
		{45*time.Second + 900*time.Millisecond, "45s"},
		{time.Minute, "1m"},
		{90 * time.Second, "1m30s"},
		{30*time.Minute - 1, "29m59s"},
		{time.Hour, "1h"},
		{2*time.Hour - 1, "1h59m"},
		{12 * time.Hour, "12h"},
		{24*time.Hour - 1, "23h59m"},
		{24 * time.Hour, "1d"},
		{76 * time.Hour, "3d4h"},
		{30*24*time.Hour + 59*time.Minute, "30d"},
		{221105 * time.Hour, "9212d"},
		{-3 * 24 * time.Hour, "3d"},
		{math.MinInt64, "106751d"},
	} {
		if got := Lasting(c.d); got != c.want {
			t.Errorf("Lasting(%v) = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestAway(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "in 5m", -3 * 24 * time.Hour: "3d ago", 0: "0s ago", -600 * time.Millisecond: "0s ago",
		1500 * time.Millisecond: "in 1s",
	} {
		if got := Away(d); got != want {
			t.Errorf("Away(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestMoments(t *testing.T) {
	at := time.Date(2026, 1, 15, 9, 30, 0, 0, time.FixedZone("CET", 3600))
	if got, want := UTC(at), "2026-01-15T08:30:00Z"; got != want {
		t.Errorf("UTC is %q, want %q", got, want)
	}
	if got, want := Text(at), at.Local().Format("2006-01-02 15:04:05 MST"); got != want {
		t.Errorf("Text is %q, want %q", got, want)
	}
}

func TestSleep(t *testing.T) {
	t.Parallel()
	why := errors.New("it is over")
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := Sleep(ctx, time.Nanosecond); err != nil {
		t.Error(err)
	}
	cancel(why)
	if err := Sleep(ctx, time.Hour); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}
