package cli

import (
	"encoding/json"
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

func (a *app) version() *cobra.Command {
	output := &verb.Output{}
	command := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  verb.Arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			if err := a.Begin(output); err != nil {
				return err
			}
			return a.runVersion(output)
		},
	}
	output.Bind(command.Flags(), "text", "json")
	return command
}

// versionText is the version with its commit, which a version between two releases has in
// it already.
func versionText(version, commit string) string {
	if commit == "" || strings.Contains(version, commit) {
		return version
	}
	return version + " " + commit
}

func (a *app) runVersion(output *verb.Output) error {
	if output.JSON() {
		text, err := json.Marshal(map[string]string{
			"version": version, "commit": commit, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		})
		if err != nil {
			return err
		}
		return a.UI.Print(string(text) + "\n")
	}
	number := versionText(version, commit)
	return a.UI.Print(fmt.Sprintf("authctl %s %s/%s %s\n", number, runtime.GOOS, runtime.GOARCH, runtime.Version()))
}
