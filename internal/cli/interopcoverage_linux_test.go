package cli

import (
	"slices"
	"strings"
	"testing"
)

// What scenes have, besides the names of contents, torrents and trackers.
const (
	byTorrent         = "a torrent"
	byMagnet          = "a magnet link"
	defaultEncryption = "default encryption"
	forcedEncryption  = "forced encryption"
	membersDial       = "members dial"
	guestsDial        = "guests dial"
	mixedSwarm        = "a mixed swarm"
)

// name returns what a scene is called among those of a program. Folders are called so too, and
// rtorrent takes no comma in paths.
func (tt interopScene) name() string {
	return "from a " + string(tt.sharer) + "; " + strings.Join(tt.values(), "; ")
}

// values returns what a scene has, by names, but for the direction.
func (tt interopScene) values() []string {
	values := []string{tt.content.name, tt.torrent.name, tt.tracker.name, string(tt.network)}
	if tt.magnets < max(tt.guests, tt.members) {
		values = append(values, byTorrent)
	}
	if tt.magnets > 0 {
		values = append(values, byMagnet)
	}
	if tt.encrypted {
		values = append(values, forcedEncryption)
	} else {
		values = append(values, defaultEncryption)
	}
	switch tt.dials {
	case aMember:
		values = append(values, membersDial)
	case aGuest:
		values = append(values, guestsDial)
	}
	if tt.guests >= 2 && tt.members >= 2 {
		values = append(values, mixedSwarm)
	}
	return values
}

// cannotPlay returns why the program is not up to a scene; "": it is.
func (p guestProgram) cannotPlay(tt interopScene) string {
	for _, value := range tt.values() {
		if why := p.cannot[value]; why != "" {
			return why
		}
	}
	return ""
}

// interopAsked are what each program has to meet in one scene, when it gets from a member and when
// it gives to one.
var interopAsked = [][]string{
	{oneFile.name, byTorrent},
	{aFolder.name, byTorrent},
	{byMagnet},
	{composedTorrent.name},
	{exportedTorrent.name},
	{mktorrentTorrent.name},
	{transmissionTorrent.name},
	{libtorrentTorrent.name},
	{hybridTorrent.name},
	{conductorOverHTTP.name},
	{conductorOverUDP.name},
	{opentrackerOverHTTP.name},
	{opentrackerOverUDP.name},
	{string(byIPv4), oneFile.name},
	{string(byIPv4), aFolder.name},
	{string(byIPv6)},
	{string(onLoopback)},
	{defaultEncryption, membersDial},
	{defaultEncryption, guestsDial},
	{forcedEncryption, membersDial},
	{forcedEncryption, guestsDial},
	{forcedEncryption, byTorrent},
	{forcedEncryption, byMagnet},
	{mixedSwarm, oneFile.name},
	{mixedSwarm, aFolder.name},
	{mixedSwarm, byTorrent},
	{mixedSwarm, byMagnet},
	{mixedSwarm, string(byIPv4)},
	{mixedSwarm, string(byIPv6)},
	{mixedSwarm, defaultEncryption},
	{mixedSwarm, forcedEncryption},
}

// Each program meets all that is asked, but for what is said of it, which is as little as can be.
func TestInteropCoverage(t *testing.T) {
	known := map[string]bool{}
	for _, tt := range interopScenes {
		for _, value := range tt.values() {
			known[value] = true
		}
	}
	for _, p := range guestPrograms {
		for value := range p.cannot {
			if !known[value] {
				t.Errorf("%s cannot do with %q, which no scene has", p.name, value)
			}
		}
		for _, sharer := range []interopKind{aMember, aGuest} {
			for _, asked := range interopAsked {
				meets := func(tt interopScene) bool {
					has := tt.values()
					return tt.sharer == sharer && p.cannotPlay(tt) == "" &&
						!slices.ContainsFunc(asked, func(v string) bool { return !slices.Contains(has, v) })
				}
				excused := slices.ContainsFunc(asked, func(v string) bool { return p.cannot[v] != "" })
				if !excused && !slices.ContainsFunc(interopScenes, meets) {
					t.Errorf("%s with a %s as the sharer plays no scene of %s",
						p.name, sharer, strings.Join(asked, ", "))
				}
			}
		}
	}
}

// What is asked of the contents: a last part of one byte, and an empty file in a folder.
func TestInteropContents(t *testing.T) {
	for _, content := range []interopContent{oneFile, aFolder} {
		size, empty := 0, false
		files := content.make()
		for _, f := range files {
			size += len(f.content)
			empty = empty || len(f.content) == 0
		}
		last := files[len(files)-1].content // it begins a part where files are padded
		if size%interopPartSize != 1 || len(last)%interopPartSize != 1 || empty != (len(files) > 1) {
			t.Errorf("%s is not what is asked: %d bytes, with an empty file: %v", content.name, size, empty)
		}
	}
	if files := anEmptyFile.make(); len(files) != 1 || len(files[0].content) != 0 {
		t.Error("the empty file is none")
	}
}
