package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"orchestra/internal/cli/fetch"
)

// A grammar is what the rearranger knows of a command: its name and its flag table.
type grammar struct {
	name    string
	options []*option
}

// arrange brings a command line into the one shape that cli v2 reads as its user meant it:
//
//	program [command] --flag=value... -- argument...
//
// cli v2 alone stops at the first argument and takes every flag after it for another argument. Here
// flags may stand anywhere before a --; short flags become long ones; a flag that the command does
// not have, a switch with a value that is none, and a missing value are usage errors. The common
// flags may come before the command. With --help among the flags nothing else is asked for. A
// program called orchestra-join (a link) has its command in its name.
func arrange(args []string, common []*option, commands []grammar) ([]string, error) {
	name, words := "orchestra", []string(nil)
	if len(args) > 0 {
		name, words = args[0], args[1:]
	}
	a := arranger{options: common}
	if c := linkedCommand(name, commands); c != nil {
		a.enter(c)
	}
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		var err error
		switch {
		case word == "--" && (a.command != "" || len(words) == 0):
			a.arguments = append(a.arguments, words...)
			words = nil
		case word == "--":
			err = &usageError{text: "a command is missing before --"}
		case strings.HasPrefix(word, "--"):
			words, err = a.long(word[2:], words)
		case strings.HasPrefix(word, "-") && word != "-":
			words, err = a.short(word[1:], words)
		case a.command != "":
			a.arguments = append(a.arguments, word)
		case word == "help" && !a.help:
			a.help = true
		default:
			err = a.choose(word, commands)
		}
		if err != nil {
			return nil, err
		}
	}
	return a.line(name), nil
}

// linkedCommand is the command that the program's own name asks for, or nil.
func linkedCommand(program string, commands []grammar) *grammar {
	base := strings.TrimSuffix(filepath.Base(program), ".exe")
	for i := range commands {
		if base == "orchestra-"+commands[i].name {
			return &commands[i]
		}
	}
	return nil
}

// An arranger gathers the words of a command line by kind.
type arranger struct {
	command   string
	options   []*option // those that may stand at this place
	help      bool
	version   bool
	flags     []string // canonical: --name=value
	arguments []string
}

func (a *arranger) enter(g *grammar) {
	a.command, a.options = g.name, g.options
}

func (a *arranger) choose(word string, commands []grammar) error {
	names := make([]string, len(commands))
	for i := range commands {
		if names[i] = commands[i].name; names[i] == word {
			a.enter(&commands[i])
			return nil
		}
	}
	hint := didYouMean("", word, names)
	word = fetch.ShownText(word)
	if strings.HasSuffix(word, ".orch") {
		hint = fmt.Sprintf("; did you mean join %s?", word)
	}
	if fetch.IsURL(word) {
		word, _, _ = strings.Cut(word, "#") // a key is not repeated
		hint = fmt.Sprintf("; did you mean get %s?", fetch.ShownText(word))
	}
	return &usageError{text: fmt.Sprintf("there is no command %q%s", word, hint)}
}

// long takes a flag of the form --name, --name=value or --name value and returns the words that are
// left.
func (a *arranger) long(flag string, words []string) ([]string, error) {
	name, value, has := strings.Cut(flag, "=")
	o := a.find(func(o *option) bool { return o.name == name })
	if o == nil {
		return nil, a.unknown("--" + name)
	}
	return a.take(o, value, has, words)
}

// short takes a flag of the form -x, -xVALUE, -x=VALUE or -x VALUE, or several switches in one:
// -xyz.
func (a *arranger) short(letters string, words []string) ([]string, error) {
	if name, _, _ := strings.Cut(letters, "="); len(name) > 1 && a.find(func(o *option) bool { return o.name == name }) != nil {
		return nil, a.mistake(fmt.Sprintf("-%s has one dash; did you mean --%s?", name, name))
	}
	for rest := letters; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		letter := rest[:size]
		o := a.find(func(o *option) bool { return o.short == letter })
		if o == nil && rest == letters {
			return nil, a.unknown("-" + letters)
		}
		if o == nil {
			return nil, a.unknown("-" + letter)
		}
		rest = rest[size:]
		if value, has := strings.CutPrefix(rest, "="); has {
			return a.take(o, value, true, words)
		}
		if !o.isSwitch() {
			return a.take(o, rest, rest != "", words)
		}
		a.add(o, "true")
	}
	return words, nil
}

// take finds the value of a flag: the one that came with it, the next word, or none.
func (a *arranger) take(o *option, value string, has bool, words []string) ([]string, error) {
	switch {
	case has && value == "" && o.isSwitch():
		return nil, a.mistake(fmt.Sprintf("--%s= has no value: leave the = out", o.name))
	case has:
		a.add(o, value)
		return words, nil
	case o.isSwitch():
		a.add(o, "true")
		return words, nil
	case len(words) > 0 && (words[0] == "-" || !strings.HasPrefix(words[0], "-")):
		a.add(o, words[0])
		return words[1:], nil
	case o.bare != "":
		a.add(o, o.bare)
		return words, nil
	case len(words) > 0:
		return nil, a.mistake(fmt.Sprintf("--%s needs a value (%s); write --%s=%s if that is it", o.name, o.value, o.name, words[0]))
	}
	return nil, a.mistake(fmt.Sprintf("--%s needs a value (%s)", o.name, o.value))
}

func (a *arranger) add(o *option, value string) {
	switch {
	case value != "true":
	case o.name == "help":
		a.help = true
	case o.name == "version":
		a.version = true
	}
	a.flags = append(a.flags, "--"+o.name+"="+value)
}

func (a *arranger) find(is func(*option) bool) *option {
	if i := slices.IndexFunc(a.options, is); i >= 0 {
		return a.options[i]
	}
	return nil
}

func (a *arranger) unknown(flag string) error {
	names := make([]string, len(a.options))
	for i, o := range a.options {
		names[i] = o.name
	}
	hint := didYouMean("--", strings.TrimLeft(flag, "-"), names)
	if a.command == "" && hint == "" {
		hint = "; a command's flags stand after the command"
	}
	return a.mistake(fmt.Sprintf("there is no flag %s%s", flag, hint))
}

func (a *arranger) mistake(text string) error {
	return &usageError{command: a.command, text: text}
}

// line is the command line in its canonical shape.
func (a *arranger) line(program string) []string {
	line := []string{program}
	if a.version {
		return append(line, "--version=true", "--")
	}
	if a.command != "" {
		line = append(line, a.command)
	}
	if a.help {
		return append(line, "--help=true", "--")
	}
	line = append(line, a.flags...)
	line = append(line, "--")
	return append(line, a.arguments...)
}
