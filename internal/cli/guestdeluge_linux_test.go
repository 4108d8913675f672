package cli

var deluge = guestProgram{
	name:  "deluged",
	needs: []debianProgram{{"deluged", "deluged"}, {"deluge-console", "deluge-console"}},
	start: func(g *guest) {
		listen := "0.0.0.0"
		if g.s.ipv6 {
			listen = "[::]" // it takes either, not both
		}
		g.write("core.conf", `{"file": 1, "format": 1}{
"dht": false, "lsd": false, "upnp": false, "natpmp": false, "new_release_check": false,
"random_port": false, "listen_ports": [6881, 6881], "daemon_port": 58846, "download_location": %q,
"listen_interface": %q
}`, g.dir, listen)
		g.run("deluged", "--do-not-daemonize", "--config", g.home, "--loglevel", "info")
		g.tell("deluge-console", "--config", g.home, "add --path "+g.dir+" "+g.torrent)
	},
}
