package cli

import (
	"fmt"
	"os"
	"testing"
)

// Other BitTorrent programs, unmodified, in swarms with members of Orchestra. Each program and
// tracker of a scene has a host of its own, since some programs take one connection from an
// address, and some dial no loopback address; but for the scenes on 127.0.0.1. It takes minutes, so
// it runs for `make interop` only.

// Not every combination is there to be had: our torrents name the conductor over HTTP alone,
// opentracker as Debian has it knows no IPv6, some programs ask no tracker by UDP over IPv6, and
// transmission-create leaves out empty files.

// interopScenes are played with each of the guests. Each guest gets and gives each kind of content,
// over each network, by each tracker, and so on: TestInteropCoverage holds that.
var interopScenes = []interopScene{
	// From members to guests.
	{
		content: oneFile, torrent: composedTorrent, tracker: conductorOverHTTP, network: onLoopback,
		sharer: aMember, guests: 1,
	},
	{
		content: aFolder, torrent: exportedTorrent, tracker: conductorOverHTTP, network: byIPv6,
		sharer: aMember, guests: 2, members: 2, magnets: 1, encrypted: true,
	},
	{
		content: aFolder, torrent: mktorrentTorrent, tracker: conductorOverUDP, network: byIPv4,
		sharer: aMember, guests: 1, dials: aMember,
	},
	{
		content: oneFile, torrent: transmissionTorrent, tracker: opentrackerOverUDP, network: byIPv4,
		sharer: aMember, guests: 2, members: 2, dials: aGuest,
	},
	{
		content: aFolder, torrent: libtorrentTorrent, tracker: opentrackerOverHTTP, network: byIPv4,
		sharer: aMember, guests: 1, magnets: 1, encrypted: true, dials: aGuest,
	},
	{
		content: oneFile, torrent: composedTorrent, tracker: conductorOverHTTP, network: byIPv6,
		sharer: aMember, guests: 1, encrypted: true, dials: aMember,
	},
	{
		content: aFolder, torrent: hybridTorrent, tracker: conductorOverUDP, network: byIPv4,
		sharer: aMember, guests: 1, members: 1,
	},
	{
		content: anEmptyFile, torrent: composedTorrent, tracker: conductorOverHTTP, network: byIPv4,
		sharer: aMember, guests: 1,
	},
	// From guests to members.
	{
		content: oneFile, torrent: composedTorrent, tracker: conductorOverHTTP, network: byIPv4,
		sharer: aGuest, members: 1, dials: aGuest,
	},
	{
		content: aFolder, torrent: exportedTorrent, tracker: conductorOverHTTP, network: byIPv6,
		sharer: aGuest, guests: 2, members: 2, magnets: 1, dials: aMember,
	},
	{
		content: oneFile, torrent: mktorrentTorrent, tracker: opentrackerOverHTTP, network: byIPv4,
		sharer: aGuest, guests: 2, members: 2, magnets: 1, encrypted: true,
	},
	{
		content: oneFile, torrent: transmissionTorrent, tracker: conductorOverUDP, network: onLoopback,
		sharer: aGuest, members: 1,
	},
	{
		content: oneFile, torrent: libtorrentTorrent, tracker: conductorOverHTTP, network: byIPv6,
		sharer: aGuest, members: 1, magnets: 1, encrypted: true, dials: aMember,
	},
	{
		content: aFolder, torrent: libtorrentTorrent, tracker: opentrackerOverUDP, network: byIPv4,
		sharer: aGuest, members: 1, encrypted: true, dials: aGuest,
	},
	{
		content: aFolder, torrent: hybridTorrent, tracker: conductorOverHTTP, network: byIPv4,
		sharer: aGuest, members: 1,
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
				t.Run(tt.name(), func(t *testing.T) {
					if why := program.cannotPlay(tt); why != "" {
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

// play ends when each that joined has a copy of what the sharer shares.
func (tt interopScene) play(t *testing.T, program guestProgram) {
	s := newInteropStage(t, tt, program)
	if tt.dials == tt.sharer { // it comes last, and finds the others
		join := s.joinAll(tt)
		s.untilTracked("incomplete")
		s.share(tt)
		join()
		return
	}
	s.share(tt)
	s.untilTracked("complete")
	s.joinAll(tt)()
}

// share starts the sharer.
func (s *interopStage) share(tt interopScene) {
	content := s.content
	if s.program.pads && tt.sharer == aGuest && tt.torrent.name == hybridTorrent.name {
		content = content.withPads()
	}
	content.write(s.t, s.dirOf(sharerName))
	if tt.sharer == aMember {
		s.member(sharerName, s.orch).untilComplete()
	} else {
		s.guest(sharerName, s.torrent)
	}
}

// joinAll starts those that get the content, some of them with a magnet link, and returns what
// waits until each of them has its copy.
func (s *interopStage) joinAll(tt interopScene) (wait func()) {
	var members []*player
	link := ""
	if tt.magnets > 0 {
		link = magnetOf(s.t, s.orch)
	}
	with := func(i, of int, torrent string) string {
		if i >= of-tt.magnets {
			return link
		}
		return torrent
	}
	for i := range tt.members {
		members = append(members, s.member(fmt.Sprint("member", i), with(i, tt.members, s.orch)))
	}
	for i := range tt.guests {
		s.guest(fmt.Sprint("guest", i), with(i, tt.guests, s.torrent))
	}
	return func() {
		for _, m := range members {
			m.untilComplete()
			if err := s.content.compare(s.dirOf(m.name)); err != nil {
				s.t.Error(m.name, err)
			}
		}
		for i := range tt.guests {
			s.untilCopied(fmt.Sprint("guest", i))
		}
	}
}
