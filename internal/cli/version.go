package cli

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/spf13/cobra"
)

// version and commit are set by the linker when a release is built.
var (
	version = "development"
	commit  = ""
)

func newVersion(d *verb.Deps) *cobra.Command {
	output := &verb.Output{}
	return d.Command(cobra.Command{Use: "version", Short: "Print the version"},
		verb.Flags{Output: output, Formats: []string{"text", "json"}},
		func(context.Context, []string) error {
			if output.JSON() {
				return d.UI.JSON(map[string]string{
					"version": version, "commit": commit, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
				})
			}
			number := versionText(version, commit)
			return d.UI.Print(fmt.Sprintf("authctl %s %s/%s %s\n", number, runtime.GOOS, runtime.GOARCH, runtime.Version()))
		})
}

// versionText is the version with its commit, which a version between two releases has in
// it already.
func versionText(version, commit string) string {
	if commit == "" || strings.Contains(version, commit) {
		return version
	}
	return version + " " + commit
}
