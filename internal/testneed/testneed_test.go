package testneed

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// fakeTB records how a test was ended. Like the real one it ends the goroutine.
type fakeTB struct {
	testing.TB
	outcome string
}

func (f *fakeTB) Helper() {}

func (f *fakeTB) Skipf(format string, args ...any) {
	f.outcome = "skip: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.outcome = "fail: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestNeed(t *testing.T) {
	missing := errors.New("not on this machine")
	tests := []struct {
		name, value, want string
		err               error
	}{
		{name: "there", value: "all", want: "went on"},
		{name: "missing and optional", value: "", err: missing, want: "skip: a part is missing: not on this machine"},
		{name: "missing and required", value: "all", err: missing, want: "fail: a part is needed here"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(Switch, tt.value)
			tb := &fakeTB{}
			done := make(chan struct{})
			go func() {
				defer close(done)
				Need(tb, "a part", tt.err)
				tb.outcome = "went on"
			}()
			<-done
			if !strings.HasPrefix(tb.outcome, tt.want) {
				t.Errorf("Need ended with %q, want it to start with %q", tb.outcome, tt.want)
			}
		})
	}
}

func TestRootHoldsTheModule(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(Root(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "module github.com/authctl/authctl\n") {
		t.Errorf("go.mod starts with %q", strings.SplitN(string(text), "\n", 2)[0])
	}
}
