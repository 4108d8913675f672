package cli

import "fmt"

// libtorrent is what qBittorrent and Deluge, each with its own settings, are made of.
var libtorrent = guestProgram{
	name:   "libtorrent",
	needs:  []debianProgram{systemPython},
	cannot: map[string]string{anEmptyFile.name: "it takes no torrent without content"},
	start: func(g *guest) {
		policy, level := 1, 3 // encrypted or not, RC4 or plain thereafter
		if g.s.encrypted {
			policy, level = 0, 2
		}
		script := g.write("guest.py", `
import libtorrent, sys, time
torrent, folder, policy, level = sys.argv[1:]
session = libtorrent.session({
    "listen_interfaces": "0.0.0.0:6881,[::]:6881",
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "enable_outgoing_utp": False, "enable_incoming_utp": False,
    "in_enc_policy": int(policy), "out_enc_policy": int(policy), "allowed_enc_level": int(level),
})
if torrent.startswith("magnet:"):
    added = libtorrent.parse_magnet_uri(torrent)
else:
    added = libtorrent.add_torrent_params()
    added.ti = libtorrent.torrent_info(torrent)
added.save_path = folder
session.add_torrent(added)
while True:
    time.sleep(1)
    print(session.pop_alerts(), flush=True)
`)
		g.run(systemPython.name, script, g.torrent, g.dir, fmt.Sprint(policy), fmt.Sprint(level))
	},
}
