package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got := parse("\x1b[1mbold\x1b[0m plain\n\n\x1b[31;2mred\x1b[39mnot\x1b[22mnone\x1b[2K\r\n")
	want := [][]span{
		{{style{bold: true}, "bold"}, {style{}, " plain"}},
		nil,
		{{style{colour: "c1", faint: true}, "red"}, {style{faint: true}, "not"}, {style{}, "none"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(span{}, style{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSteady(t *testing.T) {
	t.Parallel()
	one := steady("at http://127.0.0.1:38313; good for 299 s; issued in 12.1 ms, cache in 3.0 ms, until 2031-02-03 04:05:06")
	two := steady("at http://127.0.0.1:4; good for 300 s; issued in 1.4 ms, cache in 0.9 ms, until 2026-11-22 05:32:45")
	if one != two {
		t.Errorf("%q and %q differ", one, two)
	}
}

// TestPictureIsXML: what the program prints cannot break the picture, whatever it is.
func TestPictureIsXML(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := run(strings.NewReader("<a> & \x1b[1m\"b\"\x1b[0m \x01\n"), &b, "x & y"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "&lt;a&gt; &amp; ") {
		t.Errorf("the text is missing: %s", b.String())
	}
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingToShow(t *testing.T) {
	t.Parallel()
	if err := run(strings.NewReader(""), io.Discard, "x"); err == nil {
		t.Error("an empty terminal makes a picture")
	}
}
