package cli

import (
	"fmt"
	"strings"
)

// bashCompletion is the script for bash. Its tables are made from the command table; what walks
// over them stands here.
func bashCompletion(t *table) string {
	var s strings.Builder
	s.WriteString("# bash completion for orchestra. Made by make docs: do not edit.\n\n")
	names := make([]string, len(t.commands))
	for i, c := range t.commands {
		names[i] = c.name
	}
	fmt.Fprintf(&s, "_orchestra_commands=%s\n\n", quoted(strings.Join(names, " ")))

	s.WriteString("# _orchestra_flags COMMAND sets flags: those that may stand there.\n_orchestra_flags() {\n\tcase $1 in\n")
	for _, c := range t.commands {
		fmt.Fprintf(&s, "\t%s) flags=%s ;;\n", c.name, quoted(strings.Join(flagNames(c.options), " ")))
	}
	fmt.Fprintf(&s, "\t*) flags=%s ;;\n\tesac\n", quoted(strings.Join(flagNames(t.root), " ")))
	fmt.Fprintf(&s, "\tflags+=%s\n}\n\n", quoted(" "+strings.Join(flagNames(t.common), " ")))

	s.WriteString("# _orchestra_kind COMMAND FLAG|NUMBER sets kind: what the flag's value, or the argument counted from 0, may be.\n" +
		"_orchestra_kind() {\n\tcase $1:$2 in\n")
	for _, c := range t.commands {
		bashKinds(&s, c.name, c.options)
	}
	bashKinds(&s, "*", t.common)
	for _, c := range t.commands {
		completers, repeats := argumentCompleters(c)
		for i, completer := range completers {
			number := fmt.Sprint(i)
			if repeats && i == len(completers)-1 {
				number = "[0-9]*"
			}
			fmt.Fprintf(&s, "\t%s:%s) kind=%s ;;\n", c.name, number, quoted(bashKind(completer)))
		}
	}
	s.WriteString("\t*) kind= ;;\n\tesac\n}\n")
	s.WriteString(bashWalk)
	fmt.Fprintf(&s, "\ncomplete -F _orchestra %s\n", strings.Join(programNames(t), " "))
	return s.String()
}

func bashKinds(s *strings.Builder, command string, options []*option) {
	for _, o := range options {
		if o.isSwitch() {
			continue
		}
		pattern := command + ":--" + o.name
		if o.short != "" {
			pattern += " | " + command + ":-" + o.short
		}
		fmt.Fprintf(s, "\t%s) kind=%s ;;\n", pattern, quoted(bashKind(completerOf(o.value))))
	}
}

// bashKind is a kind as bashWalk reads it. It is never empty: an empty one says that there is no
// value.
func bashKind(c completer) string {
	kind := [...]string{noFile: "none", anyFile: "file", anyFolder: "folder", orchFile: "orch"}[c.files]
	return strings.Join(append([]string{kind}, c.words...), " ")
}

const bashWalk = `
# _orchestra_reply KIND TEXT proposes what TEXT may become.
_orchestra_reply() {
	local files=${1%% *} words= found path
	[[ $1 == *' '* ]] && words=${1#* }
	while IFS= read -r found; do
		COMPREPLY+=("$found")
	done < <(compgen -W "$words" -- "$2")
	[[ $files == none ]] && return
	type compopt &>/dev/null && compopt -o filenames 2>/dev/null
	while IFS= read -r found; do
		path=$found
		[[ $path == '~/'* ]] && path=$HOME/${path#'~/'}
		case $files in
		folder) [[ -d $path ]] || continue ;;
		orch) [[ -d $path || $path == *.orch ]] || continue ;;
		esac
		COMPREPLY+=("$found")
	done < <(compgen -f -- "$2")
}

_orchestra() {
	local line=${COMP_LINE:0:COMP_POINT} word apart i n=0
	local -a words=()
	# Bash parts words at = and : too. They are put together again where no blank stands between them.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		apart=
		[[ $i == 0 || $line == [[:blank:]]* ]] && apart=yes
		line=${line#"${line%%[![:blank:]]*}"}
		word=${COMP_WORDS[i]}
		((i == COMP_CWORD)) && word=$line
		line=${line#"$word"}
		if [[ $apart ]]; then
			words[n]=$word
			n=$((n + 1))
		else
			words[n - 1]+=$word
		fi
	done

	local command= flags kind waiting= only_arguments= arguments=0 current=${words[n - 1]}
	case ${words[0]##*/} in
	orchestra-*) command=${words[0]##*orchestra-} ;;
	esac
	for ((i = 1; i < n - 1; i++)); do
		word=${words[i]}
		if [[ $waiting && $word != -?* ]]; then
			waiting=
			continue
		fi
		waiting=
		if [[ $only_arguments ]]; then
			arguments=$((arguments + 1))
		elif [[ $word == -- ]]; then
			only_arguments=yes
		elif [[ $word == -?* ]]; then
			_orchestra_kind "$command" "$word"
			[[ $kind ]] && waiting=$kind
		elif [[ $command ]]; then
			arguments=$((arguments + 1))
		elif [[ $word != help ]]; then
			command=$word
		fi
	done

	COMPREPLY=()
	# What was typed of a file's name may be quoted; it is proposed as it is, and bash quotes it anew.
	current=${current#[\"\']}
	current=${current//\\/}
	local before= text=$current
	if [[ $waiting && $current != -?* ]]; then
		_orchestra_reply "$waiting" "$current"
	elif [[ ! $only_arguments && $current == --*=* ]]; then
		before=${current%%=*}=
		text=${current#*=}
		_orchestra_kind "$command" "${current%%=*}"
		[[ $kind ]] && _orchestra_reply "$kind" "$text"
	elif [[ ! $only_arguments && $current == -* ]]; then
		_orchestra_flags "$command"
		_orchestra_reply "none $flags" "$current"
	elif [[ ! $command ]]; then
		_orchestra_reply "none $_orchestra_commands help" "$current"
	else
		_orchestra_kind "$command" "$arguments"
		[[ $kind ]] && _orchestra_reply "$kind" "$current"
	fi

	# Bash replaces what follows the last = or : only, unless it was told not to part words there.
	if [[ $before && $COMP_WORDBREAKS != *=* ]]; then
		COMPREPLY=("${COMPREPLY[@]/#/$before}")
	fi
	if [[ $text == *:* && $COMP_WORDBREAKS == *:* ]]; then
		local cut=${text%"${text##*:}"}
		for i in "${!COMPREPLY[@]}"; do
			COMPREPLY[i]=${COMPREPLY[i]#"$cut"}
		done
	fi
}
`
