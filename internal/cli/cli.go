// Package cli is the command line: one file a command, the flags, the exit codes, and the terminal
// with its bar, log lines and key. It turns words into the configurations of the rooms below and
// their errors into lines for people. It decides nothing about compositions, parts or members. It
// alone imports cli and pb, and it never exits: Main returns the code.
package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v2"
)

// A program is one run of the command line: its streams, what the common flags say, and the owner
// of the terminal.
type program struct {
	stdin, stdout, stderr *os.File
	common                commonOptions
	terminal              *terminal
	log                   zerolog.Logger
	logFile               io.Closer // nil without --log-file
	stop                  *stopper
	running               string // the command's name
	keyFile               string // with the key of a private swarm; "": where it usually is
	serves                bool   // nobody watches it, so that its log lines need their time
}

// Main runs one command line, given with the program's own name first, and returns the exit code.
func Main(args []string, stdin, stdout, stderr *os.File) int {
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr, log: zerolog.Nop()}
	p.terminal = newTerminal(stdin, stderr)
	defer p.terminal.restore()
	p.stop = newStopper(p.terminal)
	defer p.stop.end()

	done := make(chan error, 1)
	go func() {
		defer p.terminal.restoreInPanic()
		done <- p.run(args)
	}()
	var code int
	select {
	case err := <-done:
		p.report(err)
		code = exitCode(err)
	case code = <-p.stop.now:
		p.stop.lastly()
	}
	p.closeLog()
	return code
}

// A table is all commands and flags: what the command line, the man pages and the completions are
// made from.
type table struct {
	commands []*command // each with its own flags
	common   []*option  // of every command, and of the program before it
	root     []*option  // of the program alone
}

func newTable(p *program, root *rootOptions) table {
	commands := []*command{
		newShare(p), newGet(p), newCompose(p), newConduct(p), newJoin(p),
		newVerify(p), newShow(p), newStatus(p), newImport(p), newExport(p),
	}
	return table{commands, p.common.options(), root.options()}
}

// names are the commands, for a sentence.
func (t *table) names() string {
	var names []string
	for _, c := range t.commands {
		names = append(names, c.name)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// run arranges the words for cli v2 and lets it run the command.
func (p *program) run(args []string) error {
	root := rootOptions{}
	table := newTable(p, &root)
	grammars := make([]grammar, len(table.commands))
	for i, c := range table.commands {
		c.options = append(c.options, table.common...)
		grammars[i] = grammar{c.name, c.options}
	}
	rootTable := append(table.root, table.common...)
	words, err := arrange(args, rootTable, grammars)
	if err != nil {
		return err
	}
	var help bytes.Buffer
	app := &cli.App{
		Name:                      "orchestra",
		Usage:                     "spread one large file from one host to many",
		UsageText:                 "orchestra COMMAND [FLAGS] [ARGUMENTS]",
		Writer:                    &help,
		ErrWriter:                 io.Discard,
		HideHelp:                  true,
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		CustomAppHelpTemplate:     programHelp,
		Flags:                     asFlags(rootTable),
		ExitErrHandler:            func(*cli.Context, error) {}, // the exit code is decided in Main
		OnUsageError:              refusal("", rootTable),
		Action: func(c *cli.Context) error {
			switch {
			case p.common.help:
				return p.help(&help, func() error { return cli.ShowAppHelp(c) })
			case root.version:
				_, err := fmt.Fprintln(p.stdout, "orchestra", version())
				return err
			}
			return &usageError{text: "a command is missing: " + table.names()}
		},
	}
	for _, c := range table.commands {
		app.Commands = append(app.Commands, c.forCLI(p, &table, &help))
	}
	return app.RunContext(p.stop.ctx, words)
}

// A command is one row of the command table.
type command struct {
	name        string
	arguments   string // as the help shows them
	usage       string // one line
	description string
	options     []*option
	most        int // how many arguments it takes
	serves      bool
	run         func(ctx context.Context, arguments []string) error
}

// forCLI gives the command to cli v2.
func (c *command) forCLI(p *program, t *table, help *bytes.Buffer) *cli.Command {
	return &cli.Command{
		Name:               c.name,
		Usage:              c.usage,
		UsageText:          fmt.Sprintf("orchestra %s [FLAGS] %s", c.name, c.arguments),
		Description:        c.description,
		Flags:              asFlags(c.options),
		HideHelp:           true, // --help is a row of the table, and "help" may be a file
		CustomHelpTemplate: commandHelp,
		OnUsageError:       refusal(c.name, c.options),
		Action: func(ctx *cli.Context) error {
			p.running, p.serves = c.name, c.serves
			if p.common.help {
				return p.help(help, func() error { return cli.ShowSubcommandHelp(ctx) })
			}
			arguments := ctx.Args().Slice()
			if len(arguments) > c.most {
				return c.mistake("%q is one argument too many", arguments[c.most])
			}
			if err := p.openLog(); err != nil {
				return err
			}
			p.warnOfEnvironment(t)
			return c.run(ctx.Context, arguments)
		},
	}
}

// mistake is a usage error of the command.
func (c *command) mistake(format string, args ...any) error {
	return &usageError{command: c.name, text: fmt.Sprintf(format, args...)}
}

func asFlags(options []*option) []cli.Flag {
	flags := make([]cli.Flag, len(options))
	for i, o := range options {
		flags[i] = o
	}
	return flags
}

// refusal turns what cli v2 says of a value into the words that the option itself found.
func refusal(command string, options []*option) cli.OnUsageErrorFunc {
	return func(_ *cli.Context, err error, _ bool) error {
		for _, o := range options {
			if o.err != nil {
				err = o.err
				break
			}
		}
		return &usageError{command: command, text: err.Error()}
	}
}

// rootOptions are the flags that only the program itself has.
type rootOptions struct{ version bool }

func (r *rootOptions) options() []*option {
	return []*option{
		{name: "version", short: "V", usage: "print the version", set: into(&r.version, parseSwitch)},
	}
}

// report shows the error that ended the command, in one line.
func (p *program) report(err error) {
	if err == nil {
		return
	}
	name := "orchestra"
	var usage *usageError
	if p.running != "" && !errors.As(err, &usage) {
		name += " " + p.running
	}
	p.terminal.line(name + ": " + plainly(err) + mend(p.running, err))
}

// result writes what a command was asked for to stdout: v as a line of JSON with --json, else the
// line of text.
func (p *program) result(v any, text string) error {
	if p.common.json {
		return writeJSON(p.stdout, v)
	}
	_, err := fmt.Fprintln(p.stdout, harmless(text))
	return err
}

const programHelp = `{{.Name}}: {{.Usage}}

Usage: {{.UsageText}}

Commands:
{{range .VisibleCommands}}  {{.Name}}	{{.Usage}}
{{end}}
Flags:
{{range .VisibleFlags}}  {{.}}
{{end}}
'orchestra COMMAND --help' shows the flags of a command.
`

const commandHelp = `{{.HelpName}}: {{.Usage}}

Usage: {{.UsageText}}

{{.Description}}

Flags:
{{range .VisibleFlags}}  {{.}}
{{end}}`
