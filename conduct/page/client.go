package page

import "strings"

// programs are those whose peer ids are known, by the two letters after the dash.
var programs = map[string]string{
	"OR": "Orchestra", "A2": "aria2", "AZ": "Vuze", "BT": "BitTorrent", "DE": "Deluge", "KT": "KTorrent", "LT": "libtorrent",
	"TR": "Transmission", "UT": "µTorrent", "WW": "WebTorrent", "lt": "rTorrent", "qB": "qBittorrent",
}

// Program says which program a peer id is of, as its first bytes tell: -qB4630- is qBittorrent
// 4.6.3. It is empty if they do not.
func Program(id [20]byte) string {
	if id[0] != '-' || id[7] != '-' {
		return ""
	}
	name := programs[string(id[1:3])]
	if name == "" {
		return ""
	}
	var digits []string
	for _, c := range id[3:7] {
		if c < '0' || c > '9' {
			return name
		}
		digits = append(digits, string(c))
	}
	for len(digits) > 2 && digits[len(digits)-1] == "0" {
		digits = digits[:len(digits)-1]
	}
	return name + " " + strings.Join(digits, ".")
}
