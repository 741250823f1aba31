package daemontest_test

import (
	"os/exec"
	"testing"

	"github.com/authctl/authctl/internal/daemontest"
	"github.com/authctl/authctl/internal/testneed"
)

func TestStopEndsADaemon(t *testing.T) {
	t.Parallel()
	d, err := daemontest.Start(exec.Command(testneed.Program(t, "sleep"), "600")) //nolint:noctx // Stop ends it
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.Exited():
		t.Fatal("it ended by itself")
	default:
	}
	d.Stop()
	d.Stop()
	<-d.Exited()
}

func TestStartSaysThatThereIsNoProgram(t *testing.T) {
	t.Parallel()
	if _, err := daemontest.Start(exec.Command("/nowhere/at/all")); err == nil { //nolint:noctx // it never starts
		t.Error("a program that is not there was started")
	}
}
