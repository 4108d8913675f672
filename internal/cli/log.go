package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
)

// commonOptions are the flags that every command has.
type commonOptions struct {
	quiet, verbose, json, help bool
	logFormat, logFile, color  string
}

func (c *commonOptions) options() []*option {
	c.logFormat, c.color = "auto", "auto"
	return []*option{
		{name: "json", usage: "one JSON object a line on stdout", set: into(&c.json, parseSwitch)},
		{name: "quiet", short: "q", usage: "errors only", set: into(&c.quiet, parseSwitch)},
		{name: "verbose", short: "v", usage: "log the details", set: into(&c.verbose, parseSwitch)},
		{
			name: "log-format", value: "auto|console|json", set: into(&c.logFormat, oneOf("auto", "console", "json")),
			usage: "how log lines look (auto: json in a file, console with --verbose and for conduct, else like notes)",
		},
		{name: "log-file", value: "PATH", usage: "append the log to a file; its folder is made", set: into(&c.logFile, parseText)},
		{
			name: "color", value: "auto|always|never", set: into(&c.color, oneOf("auto", "always", "never")),
			usage: "colours in the log (auto: on a terminal, unless NO_COLOR is set or TERM is dumb)",
		},
		{name: "help", short: "h", usage: "show this", set: into(&c.help, parseSwitch)},
	}
}

// level is the least level that is logged.
func (c *commonOptions) level() zerolog.Level {
	switch {
	case c.verbose:
		return zerolog.DebugLevel
	case c.quiet:
		return zerolog.ErrorLevel
	}
	return zerolog.InfoLevel
}

// openLog makes the logger that the common flags ask for.
func (p *program) openLog() error {
	c := &p.common
	if c.quiet && c.verbose {
		return &usageError{command: p.running, text: "--quiet and --verbose contradict each other"}
	}
	p.terminal.hush(c.quiet)
	var out io.Writer = p.terminal
	format, color := c.logFormat, p.wantsColor()
	if c.logFile != "" {
		file, err := appendFile(c.logFile)
		if err != nil {
			return withCode(exitDisk, fmt.Errorf("cannot open the log: %w", err))
		}
		p.logFile, out, color = file, file, c.color == "always"
		if format == "auto" {
			format = "json"
		}
	}
	switch {
	case format == "json":
		out = jsonEscaper{out}
	case format == "auto" && !c.verbose && !p.serves:
		out = lineLog{out}
	default:
		out = console(out, color)
	}
	p.log = zerolog.New(out).Level(c.level()).With().Timestamp().Logger()
	return nil
}

func (p *program) closeLog() {
	if p.logFile != nil {
		_ = p.logFile.Close() // every line has been written by then
	}
}

func (p *program) wantsColor() bool {
	switch p.common.color {
	case "always":
		return true
	case "never":
		return false
	}
	return p.terminal.isTerminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// appendFile opens a file to write at its end and makes it, and its folder, where they are missing.
func appendFile(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
}

// console writes log lines for people. zerolog quotes values, but leaves in them
// what a terminal hides.
func console(out io.Writer, color bool) io.Writer {
	return zerolog.ConsoleWriter{
		Out: out, NoColor: !color, TimeFormat: time.TimeOnly,
		FormatMessage: func(v any) string {
			if v == nil {
				return ""
			}
			return harmless(fmt.Sprint(v))
		},
		FormatFieldValue: func(v any) string { return harmless(fmt.Sprintf("%s", v)) },
		FormatErrFieldValue: func(v any) string {
			text := harmless(fmt.Sprintf("%s", v))
			if color {
				return "\x1b[31m" + text + "\x1b[0m"
			}
			return text
		},
	}
}

// A jsonEscaper passes JSON log lines on with harmful characters escaped.
type jsonEscaper struct{ to io.Writer }

func (e jsonEscaper) Write(line []byte) (int, error) {
	if _, err := e.to.Write(harmlessJSON(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}
