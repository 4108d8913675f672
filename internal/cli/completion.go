package cli

import (
	"regexp"
	"slices"
	"strings"
)

// A completer is what may stand for a value or an argument, as far as a shell can know.
type completer struct {
	words []string // some values that it may have
	files fileKind
}

type fileKind uint8

const (
	noFile    fileKind = iota
	anyFile            // files and folders
	anyFolder          // folders
	orchFile           // .orch files, and folders on the way to them
)

var lowerCase = regexp.MustCompile(`^[a-z0-9-]+$`)

// completerOf reads a placeholder of the help: alternatives in lower case are words, the others say
// what kind of thing is meant.
func completerOf(placeholder string) completer {
	var c completer
	for _, one := range strings.Split(strings.Trim(placeholder, "[]. "), "|") {
		switch {
		case lowerCase.MatchString(one):
			c.words = append(c.words, one)
		case strings.HasSuffix(one, ".orch"):
			c.files = orchFile
		case one == "FILE" || one == "PATH":
			c.files = anyFile
		case (one == "DIR" || one == "FOLDER") && c.files == noFile:
			c.files = anyFolder
		}
	}
	return c
}

// argumentCompleters are those of a command's arguments, in order. The last is that of all that
// follow if the help ends with dots.
func argumentCompleters(c *command) (completers []completer, repeats bool) {
	fields := strings.Fields(c.arguments)
	for _, field := range fields {
		if strings.Trim(field, "[].") != "" {
			completers = append(completers, completerOf(field))
		}
	}
	return completers, strings.HasSuffix(strings.TrimRight(c.arguments, "]"), "...")
}

// programNames are the names that the program may be called by, its own first.
func programNames(t *table) []string {
	names := []string{"orchestra"}
	for _, c := range t.commands {
		names = append(names, "orchestra-"+c.name)
	}
	return names
}

// flagNames are the names of the options, with their dashes, the long ones first.
func flagNames(options []*option) []string {
	var long, short []string
	for _, o := range options {
		long = append(long, "--"+o.name)
		if o.short != "" {
			short = append(short, "-"+o.short)
		}
	}
	return slices.Concat(long, short)
}

// quoted is a text as one word of a shell's script, whatever is in it.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
