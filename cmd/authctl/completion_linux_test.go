package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/testneed"
)

// screen is a terminal that tmux keeps, with a shell in it.
type screen struct {
	t      *testing.T
	tmux   string
	socket string
	env    []string
}

// open starts a shell in a terminal of its own.
func (p *place) openScreen(t *testing.T, shell ...string) *screen {
	t.Helper()
	s := &screen{t: t, tmux: testneed.Program(t, "tmux"), socket: filepath.Join(t.TempDir(), "tmux"), env: append(
		p.env, "PATH="+filepath.Dir(binary(t))+string(os.PathListSeparator)+os.Getenv("PATH"), "TERM=xterm", "LANG=C.UTF-8",
	)}
	// The test's own context is over when it tidies up.
	t.Cleanup(func() { _ = s.command(context.WithoutCancel(t.Context()), "kill-server").Run() })
	s.do(append([]string{"new-session", "-d", "-x", "160", "-y", "24"}, shell...)...)
	return s
}

func (s *screen) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, s.tmux, append([]string{"-f", "/dev/null", "-S", s.socket}, args...)...)
	c.Env, c.Dir = s.env, filepath.Dir(s.socket)
	return c
}

func (s *screen) do(args ...string) string {
	s.t.Helper()
	out, err := s.command(s.t.Context(), args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %s: %v, %s", args[0], err, out)
	}
	return string(out)
}

// keys types a text and then the keys that tmux knows by name.
func (s *screen) keys(text string, named ...string) {
	s.t.Helper()
	s.do("send-keys", "-l", text)
	for _, name := range named {
		s.do("send-keys", name)
	}
}

// wait waits until the screen holds all parts, and returns it.
func (s *screen) wait(parts ...string) {
	s.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		shown := s.do("capture-pane", "-p")
		missing := ""
		for _, part := range parts {
			if !strings.Contains(shown, part) {
				missing = part
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("the screen lacks %q:\n%s", missing, shown)
		}
	}
}

// TestTabCompletes presses Tab in real shells that load what `authctl completion` prints.
func TestTabCompletes(t *testing.T) {
	t.Parallel()
	for _, shell := range []struct {
		name  string
		start []string
		load  string
	}{
		{
			"bash",
			[]string{"bash", "--norc", "--noprofile"},
			". /usr/share/bash-completion/bash_completion && . <(authctl completion bash) && PS1='rea''dy> '",
		},
		{
			"zsh",
			[]string{"zsh", "-f"},
			"autoload -U compinit && compinit -u -D && source <(authctl completion zsh) && PS1='rea''dy> '",
		},
		{
			"fish",
			[]string{"fish", "--no-config"},
			"authctl completion fish | source; function fish_prompt; echo 'rea''dy> '; end",
		},
	} {
		t.Run(shell.name, func(t *testing.T) {
			t.Parallel()
			testneed.Program(t, shell.name)
			if shell.name == "bash" {
				_, err := os.Stat("/usr/share/bash-completion/bash_completion")
				testneed.Need(t, "bash-completion", err)
			}
			p := newPlace(t)
			s := p.openScreen(t, shell.start...)
			s.keys(shell.load, "Enter")
			s.wait("ready>")
			for _, press := range []struct{ typed, want string }{
				{"authctl token ge", "authctl token get"},
				{"authctl token get qma", "token get qmatic"},
				{"authctl login -p genesys-l", "-p genesys-login"},
				{"authctl token get talkdesk --scope users:r", "--scope users:read"},
				{"authctl token get talkdesk --scope contacts:read,wfm", "contacts:read,wfm-aion-public:write"},
				{"authctl token get pexip -o powe", "-o powershell"},
				{"authctl providers show gen", "providers show genesys"},
				{"authctl profile add x --provider talkdesk --set region=e", "region=eu"},
			} {
				s.keys("\x15"+press.typed, "Tab")
				s.wait(press.want)
			}
		})
	}
}
