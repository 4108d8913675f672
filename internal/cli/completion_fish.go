package cli

import (
	"fmt"
	"strings"
)

// fishCompletion is the script for fish: a row for each flag and argument, made from the command
// table, each with where it may stand.
func fishCompletion(t *table) string {
	var s strings.Builder
	s.WriteString("# fish completion for orchestra. Made by make docs: do not edit.\n\n")
	s.WriteString("# The flags whose value may be a word of its own, after the command's name.\nset -g __orchestra_valued")
	for _, c := range t.commands {
		fishValued(&s, c.name, c.options)
		fishValued(&s, c.name, t.common)
	}
	fishValued(&s, "", t.common)
	s.WriteString("\n" + fishWalk)

	names := "-c " + strings.Join(programNames(t), " -c ")
	fmt.Fprintf(&s, "complete %s -f\n", names)
	for _, c := range t.commands {
		fmt.Fprintf(&s, "complete -c orchestra -n '__orchestra_at \"\"' -a %s -d %s\n", c.name, quoted(c.usage))
	}
	s.WriteString("complete -c orchestra -n '__orchestra_at \"\"' -a help -d 'show the help'\n")
	fishFlags(&s, "-c orchestra -n '__orchestra_at \"\"'", t.root)
	fishFlags(&s, names, t.common)
	for _, c := range t.commands {
		s.WriteString("\n")
		fishFlags(&s, fmt.Sprintf("%s -n '__orchestra_at %s'", names, c.name), c.options)
		completers, repeats := argumentCompleters(c)
		for i, completer := range completers {
			if values := fishValues(completer); values != "" {
				number := fmt.Sprint(i)
				if repeats && i == len(completers)-1 {
					number = ""
				}
				fmt.Fprintf(&s, "complete %s -n '__orchestra_at %s' -a %s\n", names, strings.TrimSpace(c.name+" "+number), quoted(values))
			}
		}
	}
	return s.String()
}

func fishValued(s *strings.Builder, command string, options []*option) {
	for _, o := range options {
		if o.isSwitch() {
			continue
		}
		s.WriteString(" \\\n\t" + command + ":--" + o.name)
		if o.short != "" {
			s.WriteString(" " + command + ":-" + o.short)
		}
	}
}

func fishFlags(s *strings.Builder, where string, options []*option) {
	for _, o := range options {
		fmt.Fprintf(s, "complete %s -l %s", where, o.name)
		if o.short != "" {
			s.WriteString(" -s " + o.short)
		}
		if !o.isSwitch() && o.bare == "" {
			s.WriteString(" -x")
		}
		if values := fishValues(completerOf(o.value)); values != "" && !o.isSwitch() {
			s.WriteString(" -a " + quoted(values))
		}
		fmt.Fprintf(s, " -d %s\n", quoted(o.usage))
	}
}

// fishValues is what fish evaluates to propose values; empty if nothing is known of them.
func fishValues(c completer) string {
	files := [...]string{noFile: "", anyFile: "(__orchestra_files)", anyFolder: "(__orchestra_files /)", orchFile: "(__orchestra_files / .orch)"}[c.files]
	return strings.TrimSpace(strings.Join(c.words, " ") + " " + files)
}

const fishWalk = `
# __orchestra_files [ENDING...] gives the files that what is being typed may become: those with one of the endings, or all.
function __orchestra_files
	set -l typed (string replace -r -- '^-[^=]*=' '' (commandline -ct))
	for found in (complete -C"'' $typed" | string replace -r -- '\t.*' '')
		test -e "$found"; or string match -q -- '~*' $found; or continue
		test (count $argv) -gt 0; or begin
			echo $found
			continue
		end
		for ending in $argv
			string match -q -- "*$ending" $found; and echo $found
		end
	end
end

# __orchestra_at COMMAND [NUMBER] tells whether the words before the cursor lead into the command ("" is none yet),
# and whether the argument of that number, counted from 0, is what comes next.
function __orchestra_at
	set -l words (commandline -opc)
	set -l command
	set -l arguments 0
	set -l waiting no
	set -l only_arguments no
	set -l name (string replace -r -- '^.*/' '' $words[1])
	if string match -q -- 'orchestra-*' $name
		set command (string replace -- 'orchestra-' '' $name)
	end
	for word in $words[2..-1]
		if test $waiting = yes; and not string match -qr -- '^-.' $word
			set waiting no
			continue
		end
		set waiting no
		if test $only_arguments = yes
			set arguments (math $arguments + 1)
		else if test "$word" = --
			set only_arguments yes
		else if string match -qr -- '^-.' $word
			contains -- "$command:$word" $__orchestra_valued; and set waiting yes
		else if test -n "$command"
			set arguments (math $arguments + 1)
		else if test "$word" != help
			set command $word
		end
	end
	test "$command" = "$argv[1]"; or return 1
	test (count $argv) -lt 2; or test $arguments = $argv[2]
end

`
