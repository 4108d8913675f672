package cli

import (
	"fmt"
	"strings"
)

// zshCompletion is the script for zsh: rows of _arguments, made from the command table.
func zshCompletion(t *table) string {
	var s strings.Builder
	fmt.Fprintf(&s, "#compdef %s\n# zsh completion for orchestra. Made by make docs: do not edit.\n\n", strings.Join(programNames(t), " "))
	s.WriteString("_orchestra_commands() {\n\tlocal -a commands=(\n")
	for _, c := range t.commands {
		fmt.Fprintf(&s, "\t\t%s\n", quoted(c.name+":"+strings.ReplaceAll(c.usage, ":", `\:`)))
	}
	s.WriteString("\t\t'help:show the help'\n\t)\n\t_describe -t commands command commands\n}\n\n")

	s.WriteString("# _orchestra_command COMMAND completes its flags and arguments.\n_orchestra_command() {\n\tlocal -a common=(\n")
	zshFlags(&s, "\t\t", t.common)
	s.WriteString("\t)\n\tcase $1 in\n")
	for _, c := range t.commands {
		fmt.Fprintf(&s, "\t%s)\n\t\tlocal -a own=(\n", c.name)
		zshFlags(&s, "\t\t\t", c.options)
		completers, repeats := argumentCompleters(c)
		for i, completer := range completers {
			number := fmt.Sprint(i + 1)
			if repeats && i == len(completers)-1 {
				number = "*"
			}
			fmt.Fprintf(&s, "\t\t\t%s\n", quoted(number+":argument:"+zshAction(completer)))
		}
		s.WriteString("\t\t)\n\t\t;;\n")
	}
	s.WriteString("\thelp)\n\t\t_orchestra_commands\n\t\treturn\n\t\t;;\n\t*) return 1 ;;\n\tesac\n\t_arguments -s -S $common $own\n}\n\n")

	s.WriteString("_orchestra() {\n\tlocal curcontext=$curcontext state state_descr line\n\ttypeset -A opt_args\n" +
		"\tif [[ $service == orchestra-* ]]; then\n\t\t_orchestra_command ${service#orchestra-}\n\t\treturn\n\tfi\n" +
		"\tlocal -a flags=(\n")
	zshFlags(&s, "\t\t", t.root)
	zshFlags(&s, "\t\t", t.common)
	s.WriteString("\t)\n\t_arguments -C -s $flags '1: :_orchestra_commands' '*:: :->rest' && return\n" +
		"\t[[ $state == rest ]] && _orchestra_command $words[1]\n}\n\n" +
		"_orchestra \"$@\"\n")
	return s.String()
}

func zshFlags(s *strings.Builder, indent string, options []*option) {
	for _, o := range options {
		names, value := []string{"--" + o.name}, ""
		if o.short != "" {
			names = []string{"-" + o.short, "--" + o.name}
		}
		exclusive := "(" + strings.Join(names, " ") + ")"
		if o.list != nil {
			exclusive = "*"
		}
		if !o.isSwitch() {
			colon := ":"
			if o.bare != "" {
				colon = "::"
			}
			value = colon + strings.ReplaceAll(o.value, ":", `\:`) + ":" + zshAction(completerOf(o.value))
			for i, name := range names {
				names[i] = name + map[bool]string{true: "=", false: "+"}[strings.HasPrefix(name, "--")]
			}
		}
		spec := quoted("["+strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(o.usage)+"]"+value) + "\n"
		if len(names) > 1 {
			spec = "{" + strings.Join(names, ",") + "}" + spec
		} else {
			spec = quoted(names[0]) + spec
		}
		s.WriteString(indent + quoted(exclusive) + spec)
	}
}

// zshAction is what _arguments does for a value: a blank for one of which nothing is known but its
// name.
func zshAction(c completer) string {
	files := [...]string{noFile: " ", anyFile: "_files", anyFolder: "_files -/", orchFile: `_files -g "*.orch"`}[c.files]
	if len(c.words) == 0 {
		return files
	}
	return "(" + strings.Join(c.words, " ") + ")"
}
