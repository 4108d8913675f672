package cli

import (
	"fmt"
	"os"
	"testing"
)

// Other BitTorrent programs, unmodified, in swarms with members of Orchestra. Each program and
// tracker of a scene has a host of its own, since some programs take one connection from an
// address, and some none from loopback. It takes minutes, so it runs for `make interop` only.

// interopScenes are played with each of the guests. Together they show it each kind of content,
// of torrent, of tracker and of address; no two of these depend on each other.
var interopScenes = []interopScene{
	{
		name: "gets from a member by IPv4", content: oneFile, torrent: composedTorrent,
		tracker: conductorOverHTTP, sharer: aMember, guests: 1,
	},
	{
		name: "gives to a member by IPv6", content: aFolder, torrent: exportedTorrent, ipv6: true,
		tracker: conductorOverHTTP, sharer: aGuest, members: 1,
	},
	{
		name: "gets from a member by IPv6", content: aFolder, torrent: libtorrentTorrent, ipv6: true,
		tracker: conductorOverHTTP, sharer: aMember, guests: 1,
	},
	{
		name: "gets in a swarm by opentracker over UDP", content: oneFile, torrent: transmissionTorrent,
		tracker: opentrackerOverUDP, sharer: aMember, guests: 2, members: 2,
	},
	{
		name: "gives to a swarm by opentracker over HTTP", content: aFolder, torrent: mktorrentTorrent,
		tracker: opentrackerOverHTTP, sharer: aGuest, guests: 2, members: 2,
	},
	{
		name: "gets a hybrid torrent by the conductor over UDP", content: aFolder, torrent: hybridTorrent,
		tracker: conductorOverUDP, sharer: aMember, guests: 1, members: 1,
	},
	{
		name: "gets by a magnet link", content: aFolder, torrent: magnetLink,
		tracker: conductorOverHTTP, sharer: aMember, guests: 1,
	},
}

func TestInterop(t *testing.T) {
	if os.Getenv("ORCHESTRA_TEST_INTEROP") == "" {
		t.Skip("runs with other BitTorrent programs: make interop")
	}
	t.Run("torrents", interopTorrents)
	for _, program := range guestPrograms {
		t.Run(program.name, func(t *testing.T) {
			t.Parallel()
			needPrograms(t, program.needs...)
			for _, tt := range interopScenes {
				t.Run(tt.name, func(t *testing.T) {
					if why := program.cannot[tt.name]; why != "" {
						t.Skip(why)
					}
					t.Parallel()
					needPrograms(t, tt.tracker.needs...)
					needPrograms(t, tt.torrent.needs...)
					tt.play(t, program)
				})
			}
		})
	}
}

// play lets the sharer share, then the others join, and ends when each has a copy.
func (tt interopScene) play(t *testing.T, program guestProgram) {
	s := newInteropStage(t, tt, program)
	switch tt.sharer {
	case aMember:
		s.content.write(t, s.dirOf("sharer"))
		s.member("sharer").untilComplete()
	case aGuest:
		s.content.write(t, s.dirOf("sharer"))
		s.guest("sharer")
	}
	s.untilShared()
	var members []*player
	for i := range tt.members {
		members = append(members, s.member(fmt.Sprint("member", i)))
	}
	for i := range tt.guests {
		s.guest(fmt.Sprint("guest", i))
	}
	for _, m := range members {
		m.untilComplete()
		if err := s.content.compare(s.dirOf(m.name)); err != nil {
			t.Error(m.name, err)
		}
	}
	for i := range tt.guests {
		s.untilCopied(fmt.Sprint("guest", i))
	}
}
