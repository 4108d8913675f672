package cli

var qbittorrent = guestProgram{
	name:  "qbittorrent-nox",
	needs: []debianProgram{{"qbittorrent-nox", "qbittorrent-nox"}},
	start: func(g *guest) {
		g.write("qBittorrent/config/qBittorrent.conf", `[LegalNotice]
Accepted=true
[BitTorrent]
Session\BTProtocol=TCP
Session\DHTEnabled=false
Session\LSDEnabled=false
Session\DefaultSavePath=%s
Session\Port=6881
Session\QueueingSystemEnabled=false
[Network]
PortForwardingEnabled=false
[Preferences]
WebUI\Address=127.0.0.1
WebUI\LocalHostAuth=false
`, g.dir)
		g.run("qbittorrent-nox", "--profile="+g.home, "--save-path="+g.dir, "--skip-dialog=true", g.torrent)
	},
}
