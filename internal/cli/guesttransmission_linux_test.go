package cli

// Transmission dials no loopback address, whoever names it.
var transmission = guestProgram{
	name: "transmission-daemon",
	needs: []debianProgram{
		{"transmission-daemon", "transmission-daemon"},
		{"transmission-remote", "transmission-cli"},
	},
	noEmpty: true, // before version 4
	cannot: map[string]string{
		"gets a hybrid torrent by the conductor over UDP": "it reads no hybrid torrents before version 4",
	},
	start: func(g *guest) {
		g.write("settings.json", `{
"dht-enabled": false, "lpd-enabled": false, "utp-enabled": false, "port-forwarding-enabled": false,
"peer-port": 6881, "rpc-bind-address": "127.0.0.1", "rpc-port": 9091, "encryption": 1,
"rename-partial-files": false, "download-dir": %q
}`, g.dir)
		g.run("transmission-daemon", "--foreground", "--config-dir", g.home, "--log-info")
		g.tell("transmission-remote", "127.0.0.1:9091", "--add", g.torrent, "--download-dir", g.dir)
	},
}
