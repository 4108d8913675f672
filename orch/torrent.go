package orch

import (
	"errors"
	"io"
	"slices"

	"orchestra/proto/bencode"
)

// ErrNoTorrent tells that a composition has no torrent.
var ErrNoTorrent = errors.New("a torrent needs SHA-1 checksums; compose with --hash sha1")

// Torrent gives the torrent file (BEP 3) of the same content, whose info-hash is the ID. It names
// the conductors' HTTP addresses and the trackers, in tiers (BEP 12), and the web seeds (BEP 19).
// A composition with SHA-256 checksums has none: [ErrNoTorrent].
func (f *File) Torrent() ([]byte, error) {
	if f.Hash() != SHA1 {
		return nil, ErrNoTorrent
	}
	tiers, err := f.announceList()
	if err != nil {
		return nil, err
	}
	torrent := map[string]any{"created by": "Orchestra", "info": f.wholeInfo()}
	if len(tiers) > 0 {
		torrent["announce"] = tiers[0][0]
	}
	if len(tiers) > 1 || len(tiers) == 1 && len(tiers[0]) > 1 {
		var list []any
		for _, tier := range tiers {
			list = append(list, anyOf(tier))
		}
		torrent["announce-list"] = list
	}
	if seeds := f.Webseeds(); len(seeds) > 0 {
		torrent["url-list"] = anyOf(seeds)
	}
	for _, l := range f.Lines {
		if l.Key == keyComment {
			torrent["comment"] = l.Value
		}
	}
	return bencode.Encode(torrent)
}

func anyOf(texts []string) []any {
	var all []any
	for _, s := range texts {
		all = append(all, s)
	}
	return all
}

// announceList is whom BitTorrent clients announce to: each conductor is a tier of its own, and the
// trackers' follow.
func (f *File) announceList() ([][]string, error) {
	conductors, err := f.Conductors()
	if err != nil {
		return nil, err
	}
	var tiers [][]string
	for _, c := range conductors {
		tiers = append(tiers, []string{"http://" + c + announcePath})
	}
	return slices.Concat(tiers, f.Trackers()), nil
}

// Info gives the info dictionary as it is encoded, whose SHA-1 is the ID (BEP 9 sends it to who
// knows the ID alone). It takes as much memory as the checksums. A composition with SHA-256
// checksums has none: [ErrNoTorrent].
func (f *File) Info() ([]byte, error) {
	if f.Hash() != SHA1 {
		return nil, ErrNoTorrent
	}
	return bencode.Encode(f.wholeInfo())
}

// wholeInfo is the info dictionary with all that is in it.
func (f *File) wholeInfo() map[string]any {
	info := f.info()
	info["pieces"] = f.PartSums
	if f.IsFolder() {
		info["files"] = bencode.Raw(f.appendFiles(nil, func(b []byte) []byte { return b }))
	}
	return info
}

// WriteTorrent writes the torrent file of f to path in one step, as WriteFile does.
func WriteTorrent(path string, f *File) error {
	b, err := f.Torrent()
	if err != nil {
		return err
	}
	return replaceFile(path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}
