package cli

import (
	"fmt"
	"net"
)

// Transmission dials no loopback address, whoever names it.
var transmission = guestProgram{
	name: "transmission-daemon",
	needs: []debianProgram{
		{"transmission-daemon", "transmission-daemon"},
		{"transmission-remote", "transmission-cli"},
	},
	noEmpty: true, // before version 4
	cannot: map[string]string{
		anEmptyFile.name:   "it takes no torrent without content",
		hybridTorrent.name: "it reads no hybrid torrents before version 4",
	},
	start: func(g *guest) {
		encryption := 1
		if g.s.encrypted {
			encryption = 2
		}
		g.write("settings.json", `{
"dht-enabled": false, "lpd-enabled": false, "utp-enabled": false, "port-forwarding-enabled": false,
"peer-port": 6881, "rpc-bind-address": "127.0.0.1", "rpc-port": 9091, "encryption": %d,
"rename-partial-files": false, "download-dir": %q
}`, encryption, g.dir)
		g.run("transmission-daemon", "--foreground", "--config-dir", g.home, "--log-info")
		g.tell(9091, func(net.Conn) error {
			add := g.command("transmission-remote", "127.0.0.1:9091", "--add", g.torrent, "--download-dir", g.dir)
			text, err := g.s.on(g.name, add).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, text)
			}
			return err
		})
	},
}
