# fish completion for orchestra. Made by make docs: do not edit.

# The flags whose value may be a word of its own, after the command's name.
set -g __orchestra_valued \
	share:--listen share:-l \
	share:--conductor share:-c \
	share:--member-listen \
	share:--part-size share:-s \
	share:--hash \
	share:--comment \
	share:--links \
	share:--key-file \
	share:--allow \
	share:--max-members \
	share:--peers \
	share:--max-per-address \
	share:--admin-listen \
	share:--page-token-file \
	share:--page-host \
	share:--advertise \
	share:--share-for \
	share:--ratio \
	share:--until-copies \
	share:--name \
	share:--upload-limit \
	share:--download-limit \
	share:--max-peers \
	share:--progress \
	share:--log-format \
	share:--log-file \
	share:--color \
	get:--dir get:-d \
	get:--listen get:-l \
	get:--advertise \
	get:--conductor \
	get:--peer \
	get:--webseed \
	get:--share-for \
	get:--ratio \
	get:--until-copies \
	get:--name \
	get:--stall-timeout \
	get:--upload-limit \
	get:--download-limit \
	get:--only \
	get:--except \
	get:--max-peers \
	get:--key-file \
	get:--on-complete \
	get:--on-complete-timeout \
	get:--progress \
	get:--page \
	get:--log-format \
	get:--log-file \
	get:--color \
	compose:--conductor compose:-c \
	compose:--part-size compose:-s \
	compose:--output compose:-o \
	compose:--hash \
	compose:--comment \
	compose:--links \
	compose:--key-file \
	compose:--log-format \
	compose:--log-file \
	compose:--color \
	conduct:--listen conduct:-l \
	conduct:--publish \
	conduct:--key-file \
	conduct:--allow \
	conduct:--max-members \
	conduct:--peers \
	conduct:--max-per-address \
	conduct:--admin-listen \
	conduct:--page-token-file \
	conduct:--page-host \
	conduct:--log-format \
	conduct:--log-file \
	conduct:--color \
	join:--dir join:-d \
	join:--listen join:-l \
	join:--advertise \
	join:--conductor \
	join:--peer \
	join:--webseed \
	join:--share-for \
	join:--ratio \
	join:--until-copies \
	join:--name \
	join:--stall-timeout \
	join:--upload-limit \
	join:--download-limit \
	join:--only \
	join:--except \
	join:--max-peers \
	join:--key-file \
	join:--on-complete \
	join:--on-complete-timeout \
	join:--progress \
	join:--page \
	join:--log-format \
	join:--log-file \
	join:--color \
	verify:--log-format \
	verify:--log-file \
	verify:--color \
	show:--log-format \
	show:--log-file \
	show:--color \
	status:--wait \
	status:--timeout \
	status:--key-file \
	status:--log-format \
	status:--log-file \
	status:--color \
	import:--conductor import:-c \
	import:--peer \
	import:--output import:-o \
	import:--log-format \
	import:--log-file \
	import:--color \
	export:--output export:-o \
	export:--log-format \
	export:--log-file \
	export:--color \
	:--log-format \
	:--log-file \
	:--color

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

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -f
complete -c orchestra -n '__orchestra_at ""' -a share -d 'share files and folders, and print how others get them'
complete -c orchestra -n '__orchestra_at ""' -a get -d 'get what somebody shares, and share it for a moment'
complete -c orchestra -n '__orchestra_at ""' -a compose -d 'describe a file or folder in FILE.orch, for others to join'
complete -c orchestra -n '__orchestra_at ""' -a conduct -d 'keep the list of members, for them to find each other'
complete -c orchestra -n '__orchestra_at ""' -a join -d 'get what is missing and share it'
complete -c orchestra -n '__orchestra_at ""' -a verify -d 'check content against an .orch file'
complete -c orchestra -n '__orchestra_at ""' -a show -d 'show what is in an .orch file'
complete -c orchestra -n '__orchestra_at ""' -a status -d 'ask a conductor how many have all of it, and who is slowest'
complete -c orchestra -n '__orchestra_at ""' -a import -d 'make an .orch file of a torrent'
complete -c orchestra -n '__orchestra_at ""' -a export -d 'make a torrent or a magnet link of an .orch file'
complete -c orchestra -n '__orchestra_at ""' -a help -d 'show the help'
complete -c orchestra -n '__orchestra_at ""' -l version -s V -d 'print the version'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -l json -d 'one JSON object a line on stdout'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -l quiet -s q -d 'errors only'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -l verbose -s v -d 'log the details'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -l log-format -x -a 'auto console json' -d 'how log lines look (auto: json in a file, console with --verbose and for conduct, else like notes)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -l log-file -x -a '(__orchestra_files)' -d 'append the log to a file; its folder is made'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -l color -x -a 'auto always never' -d 'colours in the log (auto: on a terminal, unless NO_COLOR is set or TERM is dumb)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -l help -s h -d 'show this'

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l listen -s l -d 'the address of the conductor, where others ask first, :9999 by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l qr -d 'show a QR code of the page'\''s address'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l conductor -s c -x -d 'where others reach this machine, instead of its own addresses; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l member-listen -x -d 'the address for other members, as join --listen; of a single FILE'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l part-size -s s -x -a 'auto' -d 'bytes in a part: 16K, 1M, ... (auto: by the size of the file)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l hash -x -a 'sha1 sha256' -d 'of the checksums; sha1 by default, which BitTorrent programs know too'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l comment -x -d 'a line for those who read the .orch file'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l links -x -a 'skip follow keep' -d 'symbolic links in a folder: leave them out, read through them, or carry them'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l no-times -d 'leave out when the files were modified last, which join gives to those it makes'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l private -d 'a private swarm: only who has its key learns of it, or gets anything'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l key-file -x -a '(__orchestra_files)' -d 'the key of --private, made if the file is not there; a new one each time by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l allow -x -a '(__orchestra_files)' -d 'only the compositions of these .orch files; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l udp -d 'answer BitTorrent clients over UDP on that port too'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l max-members -x -d 'members listed at a time, over all compositions'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l peers -x -d 'members told to a newcomer, 50 at most'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l max-per-address -x -d 'members from one address, 1,024 by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l no-announce -d 'do not let others on private networks find what is published (mDNS)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l admin-listen -x -d 'serve the page and the metrics there instead'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l page-token-file -x -a '(__orchestra_files)' -d 'the page is for those who know what stands in FILE, and shows them all addresses'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l page-host -x -d 'a name under which browsers find the page, if it is one of the public DNS; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l advertise -x -d 'where others reach this member, if it is elsewhere than they see it'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l share-for -x -d 'end so long after the content is complete: 10m, 1h30m'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l ratio -x -d 'end when complete, and R times the content was sent'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l until-copies -x -d 'end when complete, and the conductor knows N complete copies, this one and those of members that left included'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l name -x -d 'what orchestra status calls this member, 64 bytes at most; the host'\''s name by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l upload-limit -x -d 'bytes a second: 40M, 1.5M; 0 or unlimited: none'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l download-limit -x -d 'bytes a second: 40M, 1.5M; 0 or unlimited: none'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l max-peers -x -d 'connections to other members at most'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l progress -x -a 'auto bar plain none' -d 'how progress is shown (auto: a bar on a terminal, else lines)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -l no-input -d 'read no key'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at share' -a '(__orchestra_files)'

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l dir -s d -x -a '(__orchestra_files /)' -d 'the folder for the content, the current one by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l listen -s l -x -d 'the address for other members; the first free port from 10001 to 10020, or any'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l advertise -x -d 'where others reach this member, if it is elsewhere than they see it'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l conductor -x -d 'instead of the .orch file'\''s; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l peer -x -d 'a member to connect to; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l webseed -x -d 'a copy on a web server (http, https) or in a bucket (s3), beside the .orch file'\''s; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l no-webseeds -d 'do not ask the web servers that the .orch file names'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l exit -s e -d 'end when the content is complete'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l share-for -x -d 'end so long after the content is complete: 10m, 1h30m'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l ratio -x -d 'end when complete, and R times the content was sent'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l until-copies -x -d 'end when complete, and the conductor knows N complete copies, this one and those of members that left included'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l name -x -d 'what orchestra status calls this member, 64 bytes at most; the host'\''s name by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l stall-timeout -x -d 'give up when nothing came for so long'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l upload-limit -x -d 'bytes a second: 40M, 1.5M; 0 or unlimited: none'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l download-limit -x -d 'bytes a second: 40M, 1.5M; 0 or unlimited: none'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l only -x -d 'of a folder, get only the files that match; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l except -x -d 'of a folder, do not get the files that match; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l max-peers -x -d 'connections to other members at most'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l key-file -x -a '(__orchestra_files)' -d 'the key of a private swarm; swarm.key beside the .orch file by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l sequential -d 'get the parts in order, more or less, for whoever reads the content while it comes'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l stdout -d 'write the content to stdout in order as it is verified, besides into --dir; implies --sequential'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l on-complete -x -d 'a command for the shell when the content is complete; it finds ORCHESTRA_PATH, ORCHESTRA_CONTENT_NAME and ORCHESTRA_ID'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l on-complete-timeout -x -d 'end that command after so long'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l check -d 'verify everything that is there, also what was verified before, and only then connect to anybody'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l replace -d 'if something else stands under the content'\''s name, move it aside to NAME.old when the content is complete'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l repair -d 'get bad parts of the content anew, in place'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l no-times -d 'leave files with the time at which they are written here, not the composition'\''s'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l progress -x -a 'auto bar plain none' -d 'how progress is shown (auto: a bar on a terminal, else lines)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l page -x -d 'serve a page there that shows what this member does: 127.0.0.1:0 is any free port of this machine alone'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get' -l no-input -d 'read no key'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at get 0' -a '(__orchestra_files / .orch)'

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l conductor -s c -x -d 'where members meet, localhost:9999 by default; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l part-size -s s -x -a 'auto' -d 'bytes in a part: 16K, 1M, ... (auto: by the size of the file)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l output -s o -x -a '(__orchestra_files)' -d 'write there (-: stdout)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l force -s f -d 'replace a file that is no .orch file'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l hash -x -a 'sha1 sha256' -d 'of the checksums; sha1 by default, which BitTorrent programs know too'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l comment -x -d 'a line for those who read the .orch file'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l links -x -a 'skip follow keep' -d 'symbolic links in a folder: leave them out, read through them, or carry them'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l no-times -d 'leave out when the files were modified last, which join gives to those it makes'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l private -d 'a private swarm: only who has its key learns of it, or gets anything'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l key-file -x -a '(__orchestra_files)' -d 'the key of --private, made if the file is not there; swarm.key beside the .orch file by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose' -l torrent -d 'write FILE.torrent too, for BitTorrent programs to join in by way of the conductor'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at compose 0' -a '(__orchestra_files)'

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l listen -s l -d 'the address to listen on, :9999 by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l publish -x -a '(__orchestra_files / .orch)' -d 'let others get these .orch files at /NAME.orch; a folder is watched; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l key-file -x -a '(__orchestra_files)' -d 'a key of private swarms that gather here too, unseen by others; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l allow -x -a '(__orchestra_files)' -d 'only the compositions of these .orch files; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l udp -d 'answer BitTorrent clients over UDP on that port too'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l max-members -x -d 'members listed at a time, over all compositions'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l peers -x -d 'members told to a newcomer, 50 at most'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l max-per-address -x -d 'members from one address, 1,024 by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l no-announce -d 'do not let others on private networks find what is published (mDNS)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l admin-listen -x -d 'serve the page and the metrics there instead'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l page-token-file -x -a '(__orchestra_files)' -d 'the page is for those who know what stands in FILE, and shows them all addresses'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at conduct' -l page-host -x -d 'a name under which browsers find the page, if it is one of the public DNS; may be repeated'

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l dir -s d -x -a '(__orchestra_files /)' -d 'the folder for the content, the current one by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l listen -s l -x -d 'the address for other members; the first free port from 10001 to 10020, or any'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l advertise -x -d 'where others reach this member, if it is elsewhere than they see it'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l conductor -x -d 'instead of the .orch file'\''s; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l peer -x -d 'a member to connect to; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l webseed -x -d 'a copy on a web server (http, https) or in a bucket (s3), beside the .orch file'\''s; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l no-webseeds -d 'do not ask the web servers that the .orch file names'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l exit -s e -d 'end when the content is complete'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l share-for -x -d 'end so long after the content is complete: 10m, 1h30m'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l ratio -x -d 'end when complete, and R times the content was sent'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l until-copies -x -d 'end when complete, and the conductor knows N complete copies, this one and those of members that left included'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l name -x -d 'what orchestra status calls this member, 64 bytes at most; the host'\''s name by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l stall-timeout -x -d 'give up when nothing came for so long'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l upload-limit -x -d 'bytes a second: 40M, 1.5M; 0 or unlimited: none'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l download-limit -x -d 'bytes a second: 40M, 1.5M; 0 or unlimited: none'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l only -x -d 'of a folder, get only the files that match; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l except -x -d 'of a folder, do not get the files that match; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l max-peers -x -d 'connections to other members at most'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l key-file -x -a '(__orchestra_files)' -d 'the key of a private swarm; swarm.key beside the .orch file by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l sequential -d 'get the parts in order, more or less, for whoever reads the content while it comes'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l stdout -d 'write the content to stdout in order as it is verified, besides into --dir; implies --sequential'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l on-complete -x -d 'a command for the shell when the content is complete; it finds ORCHESTRA_PATH, ORCHESTRA_CONTENT_NAME and ORCHESTRA_ID'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l on-complete-timeout -x -d 'end that command after so long'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l check -d 'verify everything that is there, also what was verified before, and only then connect to anybody'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l replace -d 'if something else stands under the content'\''s name, move it aside to NAME.old when the content is complete'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l repair -d 'get bad parts of the content anew, in place'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l no-times -d 'leave files with the time at which they are written here, not the composition'\''s'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l progress -x -a 'auto bar plain none' -d 'how progress is shown (auto: a bar on a terminal, else lines)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l page -x -d 'serve a page there that shows what this member does: 127.0.0.1:0 is any free port of this machine alone'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -l no-input -d 'read no key'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at join' -a '(__orchestra_files / .orch)'

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at verify 0' -a '(__orchestra_files / .orch)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at verify 1' -a '(__orchestra_files)'

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at show 0' -a '(__orchestra_files / .orch)'

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at status' -l watch -s w -d 'go on until stopped: one line on a terminal, else a line for each change'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at status' -l wait -x -a 'all' -d 'wait until N are complete, or one and everybody who is listed; then exit 0'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at status' -l timeout -x -d 'of --wait; then exit 5'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at status' -l key-file -x -a '(__orchestra_files)' -d 'the key of a private swarm; swarm.key beside the .orch file by default'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at status 0' -a '(__orchestra_files / .orch)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at status 1' -a '(__orchestra_files / .orch)'

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at import' -l conductor -s c -x -d 'where members meet, before what the torrent names; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at import' -l peer -x -d 'who is asked for what a magnet link stands for; may be repeated'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at import' -l output -s o -x -a '(__orchestra_files)' -d 'write there (-: stdout)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at import' -l force -s f -d 'replace a file that is no .orch file'

complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at export' -l magnet -d 'print a magnet link, and write nothing'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at export' -l output -s o -x -a '(__orchestra_files)' -d 'write there (-: stdout)'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at export' -l force -s f -d 'replace a file that is no torrent file'
complete -c orchestra -c orchestra-share -c orchestra-get -c orchestra-compose -c orchestra-conduct -c orchestra-join -c orchestra-verify -c orchestra-show -c orchestra-status -c orchestra-import -c orchestra-export -n '__orchestra_at export 0' -a '(__orchestra_files / .orch)'
