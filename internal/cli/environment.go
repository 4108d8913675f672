package cli

import (
	"os"
	"slices"
	"strings"
)

const envPrefix = "ORCHESTRA_"

// What the command of --on-complete finds in its environment.
const (
	envPath        = envPrefix + "PATH"
	envContentName = envPrefix + "CONTENT_NAME"
	envID          = envPrefix + "ID"
)

// mostStrange bounds the lines about variables that stand for no flag.
const mostStrange = 5

// warnOfEnvironment names the variables that seem to be meant for a flag and stand for none, of any
// command: a file of variables may be for several.
func (p *program) warnOfEnvironment(t *table) {
	known := t.variables()
	said := 0
	for _, name := range strangeVariables(os.Environ(), known) {
		if said++; said > mostStrange {
			p.terminal.note("warning: and more variables of this kind")
			return
		}
		typed := strings.TrimPrefix(name, envPrefix)
		p.terminal.note("warning: the variable %s stands for no flag%s",
			name, didYouMean(envPrefix, typed, known))
	}
}

// variables are the ends of the names that stand for flags, sorted.
func (t *table) variables() []string {
	var ends []string
	add := func(options []*option) {
		for _, o := range options {
			if o.hasEnv() {
				ends = append(ends, strings.TrimPrefix(o.env(), envPrefix))
			}
		}
	}
	add(t.common)
	for _, c := range t.commands {
		add(c.options)
	}
	slices.Sort(ends)
	return slices.Compact(ends)
}

// strangeVariables are those of the environment that begin as a flag's does and stand for none,
// sorted. What --on-complete sets is not among them, since its command may run orchestra too, nor
// is what container systems set for a service that is called orchestra.
func strangeVariables(environment, known []string) []string {
	var strange []string
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		end, ours := strings.CutPrefix(name, envPrefix)
		switch {
		case !ours || value == "":
		case slices.Contains(known, end):
		case name == envPath || name == envContentName || name == envID:
		case strings.HasPrefix(end, "SERVICE_"), strings.HasPrefix(end, "PORT_"), strings.Contains(value, "://"):
		default:
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	return strange
}
