package cli

// An example is a command line and what it is for, as the man pages show it.
type example struct{ what, line string }

// examples are those of each command's page, by its name, and those of orchestra(1), by none. A
// test reads each line.
var examples = map[string][]example{
	"": {
		{"on the host that has it: share a folder, and see what the others type", "orchestra share photos"},
		{"on every other host of the same network: get it", "orchestra get photos"},
		{"one by one: on the host that has the file, 192.168.1.1, run a conductor", "orchestra conduct"},
		{"describe the file", "orchestra compose image.iso 192.168.1.1:9999"},
		{"share it; and on every other host, with a copy of image.iso.orch, get it", "orchestra join image.iso.orch"},
	},
	"share": {
		{"share a folder on this network, until q", "orchestra share photos"},
		{"share two files until five have each, and show a code for telephones", "orchestra share image.iso notes.pdf --until-copies 5 --qr"},
		{"behind a router that forwards these ports from 203.0.113.7", "orchestra share image.iso -c 203.0.113.7:9999 --member-listen :10001 --advertise 203.0.113.7:10001"},
	},
	"get": {
		{"what is at the address that orchestra share printed", "orchestra get http://192.168.1.1:9999/photos.orch"},
		{"what is shared under a name on this network", "orchestra get photos --dir /srv"},
		{"list what is shared on this network, for programs", "orchestra get --json"},
	},
	"compose": {
		{"describe image.iso in image.iso.orch, for members that meet at 192.168.1.1", "orchestra compose image.iso 192.168.1.1:9999"},
		{"choose the part size, and write the description elsewhere", "orchestra compose image.iso -c 192.168.1.1:9999 -s 1M -o /srv/orch/image.orch"},
		{"let BitTorrent programs join in", "orchestra compose image.iso 192.168.1.1:9999 --torrent"},
	},
	"conduct": {
		{"listen on port 9999 of all addresses", "orchestra conduct"},
		{"listen on one address, and only for the compositions of a folder of .orch files", "orchestra conduct 192.168.1.1:9999 --allow /srv/orch"},
		{"let others get the .orch files of a folder, at http://HOST:9999/NAME.orch", "orchestra conduct --publish /srv/orch"},
	},
	"join": {
		{"get the content into the current folder and share it until q or Ctrl-C", "orchestra join image.iso.orch"},
		{"in a script: share for ten minutes more, give up after five without a byte", "orchestra join image.iso.orch --dir /srv/images --share-for 10m --stall-timeout 5m --progress none"},
		{"do something with the content when it is complete", "orchestra join image.iso.orch --exit --on-complete 'cp \"$ORCHESTRA_PATH\" /mnt'"},
		{"leave something of the line to others", "orchestra join image.iso.orch --upload-limit 40M"},
	},
	"verify": {
		{"check the content in the current folder", "orchestra verify image.iso.orch"},
		{"check it elsewhere", "orchestra verify image.iso.orch /srv/images/image.iso"},
	},
	"show": {
		{"show a description, and as JSON", "orchestra show image.iso.orch --json"},
	},
}
