package cli

var rtorrent = guestProgram{
	name:   "rtorrent",
	needs:  []debianProgram{{"rtorrent", "rtorrent"}},
	cannot: map[string]string{anEmptyFile.name: "it makes no file without content that is alone"},
	pads:   true,
	start: func(g *guest) {
		encryption := "none" // the default
		if g.s.encrypted {
			encryption = "allow_incoming,try_outgoing,require,require_RC4"
		}
		config := g.write("rtorrent.rc", `
session.path.set=%s
directory.default.set=%s
network.port_range.set=6881-6881
network.port_random.set=no
dht.mode.set=disable
trackers.use_udp.set=yes
protocol.encryption.set=%s
system.daemon.set=true
load.start_verbose=%s
`, g.home, g.dir, encryption, g.torrent)
		g.run("rtorrent", "-n", "-o", "import="+config)
	},
}
