package cli

var rtorrent = guestProgram{
	name:  "rtorrent",
	needs: []debianProgram{{"rtorrent", "rtorrent"}},
	start: func(g *guest) {
		config := g.write("rtorrent.rc", `
session.path.set=%s
directory.default.set=%s
network.port_range.set=6881-6881
network.port_random.set=no
dht.mode.set=disable
trackers.use_udp.set=yes
system.daemon.set=true
load.start_verbose=%s
`, g.home, g.dir, g.torrent)
		g.run("rtorrent", "-n", "-o", "import="+config)
	},
}
