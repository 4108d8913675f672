package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A shell is how the completion is loaded in one, what then shows the line that is being edited, on
// Ctrl-T between << and >>, and how to start it so.
type shell struct {
	name, rc, setup string
	arguments       func(dir string) []string
}

var shells = []shell{
	{
		"bash", "rc",
		"PS1=READY\nbind 'set enable-bracketed-paste off'\n. %s/orchestra.bash\nbind -x '\"\\C-t\": printf \"<<%%s>>\" \"$READLINE_LINE\"'\n",
		func(dir string) []string { return []string{"--noprofile", "--rcfile", filepath.Join(dir, "rc"), "-i"} },
	},
	{
		"zsh", ".zshrc",
		"PS1=READY\nfpath=(%s $fpath)\nautoload -Uz compinit && compinit -D -u\nshow() { printf '<<%%s>>' \"$BUFFER\" }\nzle -N show\nbindkey '^T' show\n",
		func(string) []string { return []string{"-d", "-i"} },
	},
	{
		"fish", "rc.fish",
		"function fish_prompt; echo READY; end\nfunction fish_greeting; end\nset -g fish_autosuggestion_enabled 0\nsource %s/orchestra.fish\n" +
			"bind \\ct 'printf \"<<%%s>>\" (commandline)'\n",
		func(dir string) []string {
			return []string{"--no-config", "-i", "-C", "source " + filepath.Join(dir, "rc.fish")}
		},
	},
}

// What is typed, and what a tab makes of it, the blank or = at the end apart: shells differ in
// that.
var completions = []struct{ typed, want string }{
	{"orchestra sho", "orchestra show"},
	{"orchestra help ver", "orchestra help verify"},
	{"orchestra --vers", "orchestra --version"},
	{"orchestra --log-format js", "orchestra --log-format json"},
	{"orchestra --log-format json comp", "orchestra --log-format json compose"},
	{"orchestra join --repa", "orchestra join --repair"},
	{"orchestra-join --repa", "orchestra-join --repair"},
	{"orchestra join --progress=b", "orchestra join --progress=bar"},
	{"orchestra join --progress pl", "orchestra join --progress plain"},
	{"orchestra join im", "orchestra join image.orch"},
	{"orchestra join --upload-limit 4M -d folder im", "orchestra join --upload-limit 4M -d folder image.orch"},
	{"orchestra-join im", "orchestra-join image.orch"},
	{"orchestra join -- im", "orchestra join -- image.orch"},
	{"orchestra show folder/", "orchestra show folder/inner.orch"},
	{"orchestra show my", `orchestra show my\ file.orch`},
	{"orchestra show image.orch im", "orchestra show image.orch im"},
	{"orchestra verify image.orch image.t", "orchestra verify image.orch image.txt"},
	{"orchestra join --dir fo", "orchestra join --dir folder/"},
	{"orchestra join --dir=fo", "orchestra join --dir=folder/"},
	{"orchestra compose image.txt localhost:9999 --hash sha2", "orchestra compose image.txt localhost:9999 --hash sha256"},
	{"orchestra conduct :9999 --allow fo", "orchestra conduct :9999 --allow folder/"},
}

// TestCompletions types into real shells.
func TestCompletions(t *testing.T) {
	scripts, err := filepath.Abs("../../docs/completion")
	if err != nil {
		t.Fatal(err)
	}
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			program, err := exec.LookPath(sh.name)
			if err != nil {
				t.Skip(sh.name + " is not installed")
			}
			dir := t.TempDir()
			writeFiles(t, dir, map[string]string{
				sh.rc:        fmt.Sprintf(sh.setup, quoted(scripts)),
				"image.orch": "", "image.txt": "", "my file.orch": "", "my notes.txt": "", "folder/inner.orch": "", "folder/other.txt": "",
			})
			for name, value := range map[string]string{"HOME": dir, "ZDOTDIR": dir, "XDG_CONFIG_HOME": dir, "XDG_DATA_HOME": dir, "INPUTRC": os.DevNull} {
				t.Setenv(name, value)
			}
			cmd := exec.Command(program, sh.arguments(dir)...)
			cmd.Dir = dir
			s := onTerminal(t, cmd, 200)
			at := s.until("READY", 0)
			for _, c := range completions {
				s.press("\x15" + c.typed + "\t\x14")
				at = s.until(">>", at)
				shown := s.text()[:at-len(">>")]
				got := strings.TrimRight(shown[strings.LastIndex(shown, "<<")+len("<<"):], " =")
				if got != c.want {
					t.Errorf("%q becomes %q, want %q", c.typed, got, c.want)
				}
			}
		})
	}
}
