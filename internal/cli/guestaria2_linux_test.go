package cli

var aria2 = guestProgram{
	name:  "aria2c",
	needs: []debianProgram{{"aria2c", "aria2"}},
	start: func(g *guest) {
		g.run("aria2c", "--no-conf", "--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false",
			"--seed-ratio=0.0", "--file-allocation=none", "--check-integrity=true", "--summary-interval=0",
			"--listen-port=6881", "-d", g.dir, g.torrent)
	},
}
