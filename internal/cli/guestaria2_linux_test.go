package cli

var aria2 = guestProgram{
	name:  "aria2c",
	needs: []debianProgram{{"aria2c", "aria2"}},
	cannot: map[string]string{
		hybridTorrent.name: "its info-hash of hybrid torrents is another one than libtorrent's",
	},
	start: func(g *guest) {
		// It asks trackers over UDP only with a DHT, in which nobody else is.
		arguments := []string{
			"--no-conf", "--enable-dht=true", "--dht-file-path=" + g.home + "/dht.dat",
			"--dht-listen-port=6882", "--enable-dht6=false", "--bt-enable-lpd=false",
			"--seed-ratio=0.0", "--file-allocation=none", "--check-integrity=true",
			"--summary-interval=0", "--show-console-readout=false", "--listen-port=6881",
		}
		if g.s.encrypted {
			arguments = append(arguments, "--bt-require-crypto=true", "--bt-min-crypto-level=arc4")
		}
		g.run("aria2c", append(arguments, "-d", g.dir, g.torrent)...)
	},
}
