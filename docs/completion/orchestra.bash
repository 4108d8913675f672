# bash completion for orchestra. Made by make docs: do not edit.

_orchestra_commands='share get compose conduct join verify show status import export'

# _orchestra_flags COMMAND sets flags: those that may stand there.
_orchestra_flags() {
	case $1 in
	share) flags='--listen --qr --conductor --member-listen --part-size --hash --comment --links --no-times --private --key-file --allow --udp --max-members --peers --max-per-address --no-announce --admin-listen --page-token-file --page-host --advertise --share-for --ratio --until-copies --name --upload-limit --download-limit --max-peers --progress --no-input -l -c -s' ;;
	get) flags='--dir --listen --advertise --conductor --peer --webseed --no-webseeds --exit --share-for --ratio --until-copies --name --stall-timeout --upload-limit --download-limit --only --except --max-peers --key-file --sequential --stdout --on-complete --on-complete-timeout --check --replace --repair --no-times --progress --page --no-input -d -l -e' ;;
	compose) flags='--conductor --part-size --output --force --hash --comment --links --no-times --private --key-file --torrent -c -s -o -f' ;;
	conduct) flags='--listen --publish --key-file --allow --udp --max-members --peers --max-per-address --no-announce --admin-listen --page-token-file --page-host -l' ;;
	join) flags='--dir --listen --advertise --conductor --peer --webseed --no-webseeds --exit --share-for --ratio --until-copies --name --stall-timeout --upload-limit --download-limit --only --except --max-peers --key-file --sequential --stdout --on-complete --on-complete-timeout --check --replace --repair --no-times --progress --page --no-input -d -l -e' ;;
	verify) flags='' ;;
	show) flags='' ;;
	status) flags='--watch --wait --timeout --key-file -w' ;;
	import) flags='--conductor --peer --output --force -c -o -f' ;;
	export) flags='--magnet --output --force -o -f' ;;
	*) flags='--version -V' ;;
	esac
	flags+=' --json --quiet --verbose --log-format --log-file --color --help -q -v -h'
}

# _orchestra_kind COMMAND FLAG|NUMBER sets kind: what the flag's value, or the argument counted from 0, may be.
_orchestra_kind() {
	case $1:$2 in
	share:--listen | share:-l) kind='none' ;;
	share:--conductor | share:-c) kind='none' ;;
	share:--member-listen) kind='none' ;;
	share:--part-size | share:-s) kind='none auto' ;;
	share:--hash) kind='none sha1 sha256' ;;
	share:--comment) kind='none' ;;
	share:--links) kind='none skip follow keep' ;;
	share:--key-file) kind='file' ;;
	share:--allow) kind='file' ;;
	share:--max-members) kind='none' ;;
	share:--peers) kind='none' ;;
	share:--max-per-address) kind='none' ;;
	share:--admin-listen) kind='none' ;;
	share:--page-token-file) kind='file' ;;
	share:--page-host) kind='none' ;;
	share:--advertise) kind='none' ;;
	share:--share-for) kind='none' ;;
	share:--ratio) kind='none' ;;
	share:--until-copies) kind='none' ;;
	share:--name) kind='none' ;;
	share:--upload-limit) kind='none' ;;
	share:--download-limit) kind='none' ;;
	share:--max-peers) kind='none' ;;
	share:--progress) kind='none auto bar plain none' ;;
	get:--dir | get:-d) kind='folder' ;;
	get:--listen | get:-l) kind='none' ;;
	get:--advertise) kind='none' ;;
	get:--conductor) kind='none' ;;
	get:--peer) kind='none' ;;
	get:--webseed) kind='none' ;;
	get:--share-for) kind='none' ;;
	get:--ratio) kind='none' ;;
	get:--until-copies) kind='none' ;;
	get:--name) kind='none' ;;
	get:--stall-timeout) kind='none' ;;
	get:--upload-limit) kind='none' ;;
	get:--download-limit) kind='none' ;;
	get:--only) kind='none' ;;
	get:--except) kind='none' ;;
	get:--max-peers) kind='none' ;;
	get:--key-file) kind='file' ;;
	get:--on-complete) kind='none' ;;
	get:--on-complete-timeout) kind='none' ;;
	get:--progress) kind='none auto bar plain none' ;;
	get:--page) kind='none' ;;
	compose:--conductor | compose:-c) kind='none' ;;
	compose:--part-size | compose:-s) kind='none auto' ;;
	compose:--output | compose:-o) kind='file' ;;
	compose:--hash) kind='none sha1 sha256' ;;
	compose:--comment) kind='none' ;;
	compose:--links) kind='none skip follow keep' ;;
	compose:--key-file) kind='file' ;;
	conduct:--listen | conduct:-l) kind='none' ;;
	conduct:--publish) kind='orch' ;;
	conduct:--key-file) kind='file' ;;
	conduct:--allow) kind='file' ;;
	conduct:--max-members) kind='none' ;;
	conduct:--peers) kind='none' ;;
	conduct:--max-per-address) kind='none' ;;
	conduct:--admin-listen) kind='none' ;;
	conduct:--page-token-file) kind='file' ;;
	conduct:--page-host) kind='none' ;;
	join:--dir | join:-d) kind='folder' ;;
	join:--listen | join:-l) kind='none' ;;
	join:--advertise) kind='none' ;;
	join:--conductor) kind='none' ;;
	join:--peer) kind='none' ;;
	join:--webseed) kind='none' ;;
	join:--share-for) kind='none' ;;
	join:--ratio) kind='none' ;;
	join:--until-copies) kind='none' ;;
	join:--name) kind='none' ;;
	join:--stall-timeout) kind='none' ;;
	join:--upload-limit) kind='none' ;;
	join:--download-limit) kind='none' ;;
	join:--only) kind='none' ;;
	join:--except) kind='none' ;;
	join:--max-peers) kind='none' ;;
	join:--key-file) kind='file' ;;
	join:--on-complete) kind='none' ;;
	join:--on-complete-timeout) kind='none' ;;
	join:--progress) kind='none auto bar plain none' ;;
	join:--page) kind='none' ;;
	status:--wait) kind='none all' ;;
	status:--timeout) kind='none' ;;
	status:--key-file) kind='file' ;;
	import:--conductor | import:-c) kind='none' ;;
	import:--peer) kind='none' ;;
	import:--output | import:-o) kind='file' ;;
	export:--output | export:-o) kind='file' ;;
	*:--log-format) kind='none auto console json' ;;
	*:--log-file) kind='file' ;;
	*:--color) kind='none auto always never' ;;
	share:[0-9]*) kind='file' ;;
	get:0) kind='orch' ;;
	compose:0) kind='file' ;;
	compose:1) kind='none' ;;
	compose:2) kind='none' ;;
	conduct:0) kind='none' ;;
	join:[0-9]*) kind='orch' ;;
	verify:0) kind='orch' ;;
	verify:1) kind='file' ;;
	show:0) kind='orch' ;;
	status:0) kind='orch' ;;
	status:1) kind='orch' ;;
	import:0) kind='none' ;;
	export:0) kind='orch' ;;
	*) kind= ;;
	esac
}

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

complete -F _orchestra orchestra orchestra-share orchestra-get orchestra-compose orchestra-conduct orchestra-join orchestra-verify orchestra-show orchestra-status orchestra-import orchestra-export
