package cli

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// testTables are the flag tables of all commands, as Main has them.
func testTables() (common []*option, commands []grammar) {
	p := &program{}
	common = append((&rootOptions{}).options(), p.common.options()...)
	for _, c := range []*command{newCompose(p), newConduct(p), newJoin(p), newVerify(p), newShow(p)} {
		commands = append(commands, grammar{c.name, append(c.options, p.common.options()...)})
	}
	return common, commands
}

func TestArrange(t *testing.T) {
	const usage = "!" // a usage error that holds what follows
	tests := []struct{ line, want string }{
		{"orchestra", "orchestra --"},
		{"orchestra join f.orch", "orchestra join -- f.orch"},
		{"orchestra join f.orch --dir x", "orchestra join --dir=x -- f.orch"},
		{"orchestra join --dir x f.orch", "orchestra join --dir=x -- f.orch"},
		{"orchestra join --dir=x f.orch", "orchestra join --dir=x -- f.orch"},
		{"orchestra join -d x f.orch", "orchestra join --dir=x -- f.orch"},
		{"orchestra join -dx f.orch", "orchestra join --dir=x -- f.orch"},
		{"orchestra join -d=x f.orch", "orchestra join --dir=x -- f.orch"},
		{"orchestra join --dir= f.orch", "orchestra join --dir= -- f.orch"},
		{"orchestra join f.orch -eq", "orchestra join --exit=true --quiet=true -- f.orch"},
		{"orchestra join f.orch -eqd x", "orchestra join --exit=true --quiet=true --dir=x -- f.orch"},
		{"orchestra join -- --dir x", "orchestra join -- --dir x"},
		{"orchestra join --exit=false f.orch", "orchestra join --exit=false -- f.orch"},
		{"orchestra join f.orch --peer a:1 --peer b:2", "orchestra join --peer=a:1 --peer=b:2 -- f.orch"},
		{"orchestra -q join f.orch", "orchestra join --quiet=true -- f.orch"},
		{"orchestra --log-file x join f.orch", "orchestra join --log-file=x -- f.orch"},
		{"orchestra compose f -o -", "orchestra compose --output=- -- f"},
		{"orchestra compose - 10.0.0.1", "orchestra compose -- - 10.0.0.1"},
		{"orchestra compose help", "orchestra compose -- help"},
		{"orchestra compose h", "orchestra compose -- h"},
		{"orchestra conduct --listen", "orchestra conduct --listen=:9999 --"},
		{"orchestra conduct --listen --json", "orchestra conduct --listen=:9999 --json=true --"},
		{"orchestra conduct --listen :99", "orchestra conduct --listen=:99 --"},
		{"orchestra conduct --listen=:99", "orchestra conduct --listen=:99 --"},
		{"orchestra conduct :99", "orchestra conduct -- :99"},
		{"orchestra join --help f.orch", "orchestra join --help=true --"},
		{"orchestra join f.orch -h --dir x", "orchestra join --help=true --"},
		{"orchestra --help join", "orchestra join --help=true --"},
		{"orchestra help join", "orchestra join --help=true --"},
		{"orchestra help", "orchestra --help=true --"},
		{"orchestra -V", "orchestra --version=true --"},
		{"orchestra -V join", "orchestra --version=true --"},
		{"orchestra-join f.orch -d x", "orchestra-join join --dir=x -- f.orch"},
		{"/usr/bin/orchestra-conduct.exe :99", "/usr/bin/orchestra-conduct.exe conduct -- :99"},
		{"orchestra-compose join", "orchestra-compose compose -- join"},

		{"orchestra jion f.orch", usage + `no command "jion"; did you mean join?`},
		{"orchestra f.orch", usage + "did you mean join f.orch?"},
		{"orchestra join --dri x", usage + "no flag --dri; did you mean --dir?"},
		{"orchestra join --stall 1s", usage + "did you mean --stall-timeout?"},
		{"orchestra join f.orch -x", usage + "no flag -x"},
		{"orchestra join -dir x", usage + "did you mean --dir?"},
		{"orchestra join --dir", usage + "--dir needs a value (DIR)"},
		{"orchestra join --dir --exit f.orch", usage + "write --dir=--exit if that is it"},
		{"orchestra join --exit= f.orch", usage + "--exit= has no value"},
		{"orchestra join -V", usage + "no flag -V"},
		{"orchestra --dir x join", usage + "a command's flags stand after the command"},
		{"orchestra -- join", usage + "a command is missing"},
		{"orchestra compose --partsize 16K f", usage + "did you mean --part-size?"},
	}
	for _, tt := range tests {
		common, commands := testTables()
		got, err := arrange(strings.Fields(tt.line), common, commands)
		if want, wrong := strings.CutPrefix(tt.want, usage); wrong {
			var mistake *usageError
			if !errors.As(err, &mistake) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, %v; want a usage error with %q", tt.line, got, err, want)
			}
			continue
		}
		if line := strings.Join(got, " "); err != nil || line != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.line, line, err, tt.want)
		}
	}
}

// A line that was arranged has the shape that cli v2 needs, is not changed by being arranged again,
// and has the same arguments in the same order.
func FuzzArrange(f *testing.F) {
	for _, line := range []string{
		"join f.orch --dir x", "-q join -eqdx f -- -z", "help join", "conduct --listen", "compose - -o -", "join --peer=a --peer b",
		"join -d", "join --=x", "join -=", "join -é", "-\xff", "-V compose", "join --help=false f",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		words := append([]string{"orchestra"}, strings.Split(line, " ")...)
		common, commands := testTables()
		got, err := arrange(words, common, commands)
		if err != nil {
			if text := err.Error(); !strings.Contains(text, "Try 'orchestra ") {
				t.Errorf("the error does not say where help is: %s", text)
			}
			return
		}
		end := slices.Index(got, "--")
		if end < 1 {
			t.Fatalf("%q has no --", got)
		}
		flags := got[1:end]
		if len(flags) > 0 && !strings.HasPrefix(flags[0], "-") {
			flags = flags[1:]
		}
		for _, flag := range flags {
			if !strings.HasPrefix(flag, "--") || !strings.Contains(flag, "=") {
				t.Errorf("%q: %q is not a flag in its long form", got, flag)
			}
		}
		rest := words
		for _, argument := range got[end+1:] {
			at := slices.Index(rest, argument)
			if at < 0 {
				t.Fatalf("%q: the argument %q is not where it was in %q", got, argument, words)
			}
			rest = rest[at+1:]
		}
		again, err := arrange(got, common, commands)
		if err != nil || !slices.Equal(again, got) {
			t.Errorf("arranged again: %q, %v; want %q", again, err, got)
		}
	})
}
