package cli

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// version and commit are set by the linker when a release is built.
var (
	version = "development"
	commit  = ""
)

func (a *app) version() *cobra.Command {
	output := &outputFlag{}
	command := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			if err := a.begin(output); err != nil {
				return err
			}
			return a.runVersion(output)
		},
	}
	output.bind(command.Flags(), "text", "json")
	return command
}

func (a *app) runVersion(output *outputFlag) error {
	if output.json() {
		text, err := json.Marshal(map[string]string{
			"version": version, "commit": commit, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		})
		if err != nil {
			return err
		}
		return a.print(string(text) + "\n")
	}
	text := "authctl " + version
	if commit != "" {
		text += " " + commit
	}
	return a.print(fmt.Sprintf("%s %s/%s %s\n", text, runtime.GOOS, runtime.GOARCH, runtime.Version()))
}
