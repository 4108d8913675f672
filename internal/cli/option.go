package cli

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

// An option is one row of a command's flag table. It is all that the program knows of a flag: the
// argument rearranger, the help, the environment and cli v2 (for which it is a cli.Flag) read it.
type option struct {
	name  string // long name, without dashes
	short string // one letter, or empty
	value string // placeholder of the value in the help; empty for a switch
	bare  string // what the flag means when its value is left out; empty if it may not be
	usage string

	set  func(string) error // takes a value; nil where list is given
	list *[]string          // collects the values of a flag that may be repeated

	given   bool  // on the command line
	fromEnv bool  // in the environment, and not (yet) on the command line
	err     error // why the value given was refused
}

// isSwitch reports whether the flag is on or off and takes no word as its value.
func (o *option) isSwitch() bool { return o.value == "" }

// env is the environment variable that stands for the flag.
func (o *option) env() string {
	return "ORCHESTRA_" + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// hasEnv reports whether the flag can be set by the environment: questions about the program
// cannot.
func (o *option) hasEnv() bool { return o.name != "help" && o.name != "version" }

// Apply takes the flag's value from the environment and puts the flag into the set that cli v2
// parses with.
func (o *option) Apply(set *flag.FlagSet) error {
	if v := os.Getenv(o.env()); v != "" && o.hasEnv() {
		if err := o.take(v); err != nil {
			o.err = fmt.Errorf("the environment's %s: %w", o.env(), err)
			return o.err
		}
		o.fromEnv = true
	}
	set.Var(o, o.name, o.usage)
	return nil
}

// Set takes a value from the command line; it overrides the environment's.
func (o *option) Set(v string) error {
	if o.fromEnv && o.list != nil {
		*o.list = nil
	}
	o.given, o.fromEnv = true, false
	if err := o.take(v); err != nil && o.err == nil {
		o.err = fmt.Errorf("--%s: %w", o.name, err)
	}
	return o.err
}

func (o *option) take(v string) error {
	if o.list != nil {
		if v == "" {
			return errEmpty
		}
		*o.list = append(*o.list, v)
		return nil
	}
	return o.set(v)
}

// Names is the long name alone: the rearranger has already replaced the short one, and cli v2 would
// set a flag with two names twice.
func (o *option) Names() []string { return []string{o.name} }

// IsSet reports whether the command line or the environment gave the flag.
func (o *option) IsSet() bool { return o.given || o.fromEnv }

// IsVisible makes cli v2 list the flag in the help.
func (o *option) IsVisible() bool { return true }

// String is the flag's row in the help, its columns parted by a tab.
func (o *option) String() string {
	if o == nil || o.name == "" {
		return ""
	}
	names := "    --" + o.name
	if o.short != "" {
		names = "-" + o.short + ", --" + o.name
	}
	switch {
	case o.isSwitch():
	case o.bare != "":
		names += " [" + o.value + "]"
	default:
		names += " " + o.value
	}
	row := names + "\t" + o.usage
	if o.hasEnv() {
		row += " [$" + o.env() + "]"
	}
	return row
}
