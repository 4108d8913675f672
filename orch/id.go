package orch

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"orchestra/proto/bencode"
)

// ID tells compositions apart. Line 1 and comments are not counted in it.
type ID [20]byte

// String is the ID as 40 hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ParseID reads what String gives, in either case.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 2*len(id) {
		return ID{}, fmt.Errorf("expected an ID of %d hex digits, found %s", 2*len(id), quote(s))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, fmt.Errorf("expected an ID of %d hex digits, found %s", 2*len(id), quote(s))
	}
	return id, nil
}

// ID gives the composition's. With SHA-1 checksums it is the info-hash (BEP 3)
// of the torrent that describes the same content; with SHA-256 it is the
// beginning of the SHA-256 of the lines that say what the content is. It is
// computed anew each time, in time that grows with the number of parts.
func (f *File) ID() ID {
	if f.Hash() == SHA1 {
		h := sha1.New()
		f.writeInfo(h)
		return ID(h.Sum(nil))
	}
	h := sha256.New()
	w := bufio.NewWriter(h)
	f.writeContent(w)
	f.writeLines(w, func(l Line) bool { return l.Key == keyFile }) // a !pad line goes with SHA-1
	_ = w.Flush()                                                  // a hash takes everything
	return ID(h.Sum(nil)[:len(ID{})])
}

// writeInfo hashes the info dictionary. The checksums go straight to h: they
// are most of it.
func (f *File) writeInfo(h hash.Hash) {
	info := f.info()
	b := []byte("d")
	for _, k := range slices.Sorted(maps.Keys(info)) {
		b, _ = bencode.Append(b, k)
		switch k {
		case "pieces":
			b = fmt.Appendf(b, "%d:", len(f.PartSums))
			h.Write(b)
			h.Write(f.PartSums)
			b = b[:0]
		case "files":
			b = f.appendFiles(b, func(b []byte) []byte {
				h.Write(b)
				return b[:0]
			})
		default:
			b, _ = bencode.Append(b, info[k])
		}
	}
	h.Write(append(b, 'e'))
}

// flushAt is how many bytes of the files' descriptions are gathered.
const flushAt = 64 << 10

// appendFiles appends the list of files as the info dictionary has it, and has
// what was gathered flushed now and then: as values of bencode all files would
// take many times what their lines do.
func (f *File) appendFiles(b []byte, flush func([]byte) []byte) []byte {
	b = append(b, 'l')
	more := f.fileKeys()
	var components []any
	for _, l := range f.Lines {
		if l.Key != keyFile && l.Key != keyPad {
			continue
		}
		size, path, _ := parseFileLine(l.Value)
		components = components[:0]
		for c := range strings.SplitSeq(path, "/") {
			components = append(components, c)
		}
		keys := map[string]any{"length": size, "path": components}
		if len(more) > 0 {
			maps.Copy(keys, more[0])
			more = more[1:]
		}
		b, _ = bencode.Append(b, keys)
		if len(b) >= flushAt {
			b = flush(b)
		}
	}
	return append(b, 'e')
}

// info gives the info dictionary (BEP 3) without the checksums and the files
// themselves.
func (f *File) info() map[string]any {
	info := map[string]any{}
	maps.Copy(info, f.infoLine().keys)
	if f.IsFolder() {
		info["files"] = nil
	} else {
		info["length"] = f.Size
	}
	info["name"] = f.Name
	info["piece length"] = f.PartSize
	info["pieces"] = nil
	return info
}
