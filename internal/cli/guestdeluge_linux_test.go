package cli

var deluge = guestProgram{
	name:   "deluged",
	needs:  []debianProgram{{"deluged", "deluged"}, {"deluge-console", "deluge-console"}},
	cannot: map[string]string{anEmptyFile.name: "it takes no torrent without content"},
	start: func(g *guest) {
		listen := "0.0.0.0"
		if g.s.network == byIPv6 {
			listen = "[::]" // it takes either, not both
		}
		policy, level := 1, 2 // encrypted or not, RC4 or plain thereafter
		if g.s.encrypted {
			policy, level = 0, 1
		}
		g.write("core.conf", `{"file": 1, "format": 1}{
"dht": false, "lsd": false, "upnp": false, "natpmp": false, "new_release_check": false,
"random_port": false, "listen_ports": [6881, 6881], "daemon_port": 58846, "download_location": %q,
"listen_interface": %q, "enc_in_policy": %d, "enc_out_policy": %[3]d, "enc_level": %d
}`, g.dir, listen, policy, level)
		g.run("deluged", "--do-not-daemonize", "--config", g.home, "--loglevel", "error")
		g.tell(58846, "deluge-console", "--config", g.home, "add --path "+g.dir+" "+g.torrent)
	},
}
