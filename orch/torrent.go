package orch

import (
	"errors"
	"io"

	"orchestra/proto/bencode"
)

// Torrent gives the torrent file (BEP 3) of the same content, whose info-hash is the ID. It names
// the conductors' HTTP addresses, each as a tier of its own (BEP 12). A composition with SHA-256
// checksums has none.
func (f *File) Torrent() ([]byte, error) {
	if f.Hash() != SHA1 {
		return nil, errors.New("a torrent needs SHA-1 checksums; compose with --hash sha1")
	}
	conductors, err := f.Conductors()
	if err != nil {
		return nil, err
	}
	var tiers []any
	for _, c := range conductors {
		tiers = append(tiers, []any{"http://" + c + "/announce"})
	}
	info := f.info()
	info["pieces"] = f.PartSums
	if f.IsFolder() {
		info["files"] = bencode.Raw(f.appendFiles(nil, func(b []byte) []byte { return b }))
	}
	torrent := map[string]any{"announce": "http://" + conductors[0] + "/announce", "created by": "Orchestra", "info": info}
	if len(tiers) > 1 {
		torrent["announce-list"] = tiers
	}
	for _, l := range f.Lines {
		if l.Key == "comment" {
			torrent["comment"] = l.Value
		}
	}
	return bencode.Encode(torrent)
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
