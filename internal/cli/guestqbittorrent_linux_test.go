package cli

var qbittorrent = guestProgram{
	name:   "qbittorrent-nox",
	needs:  []debianProgram{{"qbittorrent-nox", "qbittorrent-nox"}},
	cannot: map[string]string{anEmptyFile.name: "it takes no torrent without content"},
	start: func(g *guest) {
		encryption := 0
		if g.s.encrypted {
			encryption = 1
		}
		g.write("qBittorrent/config/qBittorrent.conf", `[LegalNotice]
Accepted=true
[BitTorrent]
Session\BTProtocol=TCP
Session\DHTEnabled=false
Session\LSDEnabled=false
Session\Encryption=%d
Session\DefaultSavePath=%s
Session\Port=6881
Session\QueueingSystemEnabled=false
[Network]
PortForwardingEnabled=false
[Preferences]
WebUI\Address=127.0.0.1
WebUI\LocalHostAuth=false
`, encryption, g.dir)
		g.run("qbittorrent-nox", "--profile="+g.home, "--save-path="+g.dir, "--skip-dialog=true", g.torrent)
	},
}
