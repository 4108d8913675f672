package orch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"orchestra/proto/bencode"
)

// MaxTorrentSize is the largest torrent file, in bytes.
const MaxTorrentSize = 256 << 20

// ErrV2Only tells of a torrent that has no v1 side (BEP 52).
var ErrV2Only = errors.New("it is of BitTorrent v2 alone (BEP 52), and Orchestra reads v1 and hybrid torrents; " +
	"make a hybrid one")

// IsTorrent reports whether a file that begins with b may be a torrent, and
// cannot be an .orch file.
func IsTorrent(b []byte) bool {
	return len(b) > 1 && b[0] == 'd' && b[1] >= '0' && b[1] <= '9' && bytes.IndexByte(b, ':') > 0
}

// OpenTorrent reads the torrent file at path, see [ParseTorrent].
func OpenTorrent(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := ParseTorrent(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// ParseTorrent reads a torrent file (BEP 3) to its end. The ID of what it gives
// is the torrent's info-hash: all keys of its info dictionary are kept, the files
// are in its order, and those that pad (BEP 47) stay what they are. A hybrid
// torrent (BEP 52) is read by its v1 side. A tracker that may be a conductor
// becomes one, the others become "tracker" lines.
func ParseTorrent(r io.Reader) (*File, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxTorrentSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) > MaxTorrentSize {
		return nil, fmt.Errorf("the torrent is longer than %d MiB", MaxTorrentSize>>20)
	}
	top, err := bencode.Split(b)
	if err != nil {
		return nil, fmt.Errorf("it is no torrent: %w", err)
	}
	if len(top["info"]) == 0 {
		return nil, errors.New("it is no torrent: it has no info dictionary")
	}
	f, err := ParseInfo(top["info"])
	if err != nil {
		return nil, err
	}
	f.takeTop(top)
	return f, f.describes()
}

// ParseInfo reads an info dictionary (BEP 3), whose SHA-1 is the ID of what it
// gives. There is no conductor and no tracker in it.
func ParseInfo(b []byte) (*File, error) {
	v, err := bencode.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("its info dictionary is wrong: %w", err)
	}
	info, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("its info is no dictionary")
	}
	d := infoReader{info: info, f: &File{Conductor: NoConductor}}
	if err := d.read(); err != nil {
		return nil, err
	}
	return d.f, d.f.describes()
}

// describes says what is wrong with a composition that came from a torrent. The
// numbers of lines that are not there yet say nothing.
func (f *File) describes() error {
	err := f.Validate()
	var parse *ParseError
	if errors.As(err, &parse) {
		err = parse.Err
	}
	return err
}

// infoReader makes a composition of an info dictionary, whose keys it takes out
// one by one.
type infoReader struct {
	info map[string]any
	f    *File
}

func (d *infoReader) read() (err error) {
	if _, ok := d.info["pieces"]; !ok && d.info["meta version"] != nil {
		return ErrV2Only
	}
	if d.f.Name, err = take[string](d.info, "name"); err != nil {
		return err
	}
	if name, err := ReadName(d.f.Name); err != nil {
		return err
	} else if name != d.f.Name {
		return fmt.Errorf("its name %s has a separator of paths", quote(d.f.Name))
	}
	if d.f.PartSize, err = take[int64](d.info, "piece length"); err != nil {
		return err
	}
	if err := checkPartSize(d.f.PartSize); err != nil {
		return err
	}
	sums, err := take[string](d.info, "pieces")
	if err != nil {
		return err
	}
	var files []map[string]any
	if _, ok := d.info["files"]; ok {
		files, err = d.readFiles()
	} else {
		d.f.Size, err = take[int64](d.info, "length")
	}
	if err != nil {
		return err
	}
	if err := d.parts(sums); err != nil {
		return err
	}
	if l, ok := infoLineOf(d.info, files); ok {
		d.f.Lines = append(d.f.Lines, l)
	}
	return nil
}

// parts takes the checksums of the parts. That of the whole is known only where
// there is one part at most.
func (d *infoReader) parts(sums string) error {
	if err := checkSize(d.f.Size); err != nil {
		return err
	}
	want := countParts(d.f.Size, d.f.PartSize)
	if err := checkCount(want, d.f.Size, d.f.PartSize, SHA1); err != nil {
		return err
	}
	if int64(len(sums)) != want*int64(SHA1.Size()) {
		return fmt.Errorf("its pieces have %d bytes, and %d pieces take %d", len(sums), want, want*int64(SHA1.Size()))
	}
	d.f.PartSums = []byte(sums)
	switch want {
	case 0:
		d.f.Checksum = SHA1.Sum(nil)
	case 1:
		d.f.Checksum = slices.Clone(d.f.PartSums)
	}
	return nil
}

// readFiles reads the list of files and gives, of each, the keys that have no
// place elsewhere.
func (d *infoReader) readFiles() ([]map[string]any, error) {
	list, err := take[[]any](d.info, "files")
	if err != nil {
		return nil, err
	}
	if len(list) > MaxLines {
		return nil, fmt.Errorf("it has %d files; %d is the most", len(list), MaxLines)
	}
	more := make([]map[string]any, 0, len(list))
	var exec, links []Line
	made := false // a file is made of one of them
	for i, v := range list {
		keys, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("file %d of its info is no dictionary", i+1)
		}
		size, p, err := takeFile(keys)
		if err != nil {
			return nil, fmt.Errorf("file %d of its info: %w", i+1, err)
		}
		if d.f.Size > math.MaxInt64-size {
			return nil, errors.New("its files are larger together than 64 bits hold")
		}
		d.f.Size += size
		attr, _ := keys["attr"].(string)
		link, isLink := linkOf(attr, p, size, keys)
		key := keyFile
		switch {
		case strings.Contains(attr, "p"):
			key = keyPad
		case isLink:
			key = keyPad
			links = append(links, Line{keyLink, link.value()})
		default:
			made = true
		}
		d.f.Lines = append(d.f.Lines, Line{key, fmt.Sprintf("%d %s", size, p)})
		if at, ok := keys["mtime"].(int64); ok && key == keyFile && HasTime(time.Unix(at, 0)) {
			d.f.Lines = append(d.f.Lines, Line{keyTime, formatTime(time.Unix(at, 0))})
		}
		if strings.Contains(attr, "x") && key == keyFile {
			exec = append(exec, Line{keyExec, p})
		}
		more = append(more, keys)
	}
	if !made {
		return nil, errors.New("it is a folder without a file")
	}
	d.f.Lines = slices.Concat(d.f.Lines, exec, links)
	return more, nil
}

// takeFile takes the size and the path out of what the list has of a file.
func takeFile(keys map[string]any) (size int64, p string, err error) {
	if size, err = take[int64](keys, "length"); err != nil {
		return 0, "", err
	}
	if size < 0 {
		return 0, "", fmt.Errorf("its length is negative, %d", size)
	}
	list, err := take[[]any](keys, "path")
	if err != nil {
		return 0, "", err
	}
	if p, err = joinPath(list); err != nil {
		return 0, "", err
	}
	return size, p, CheckPath(p)
}

// joinPath makes a path of its components. None of them has a separator.
func joinPath(list []any) (string, error) {
	components := make([]string, 0, len(list))
	for _, v := range list {
		c, ok := v.(string)
		if !ok || strings.Contains(c, "/") {
			return "", errors.New("a component of its path is no name")
		}
		components = append(components, c)
	}
	return strings.Join(components, "/"), nil
}

// linkOf is the symbolic link that an entry of the list stands for (BEP 47), if
// it stays in the folder.
func linkOf(attr, at string, size int64, keys map[string]any) (Link, bool) {
	list, ok := keys["symlink path"].([]any)
	if !ok || size != 0 || !strings.Contains(attr, "l") {
		return Link{}, false
	}
	target, err := joinPath(list)
	if err != nil || CheckPath(target) != nil {
		return Link{}, false
	}
	l := Link{Path: at, Target: relative(path.Dir(at), target)}
	return l, CheckLink(l) == nil
}

// relative is the way from a folder to a path, both of which are relative to the
// same folder.
func relative(from, to string) string {
	if from == "." {
		return to
	}
	up, down := strings.Split(from, "/"), strings.Split(to, "/")
	for len(up) > 0 && len(down) > 0 && up[0] == down[0] {
		up, down = up[1:], down[1:]
	}
	way := slices.Concat(slices.Repeat([]string{".."}, len(up)), down)
	if len(way) == 0 {
		return "."
	}
	return strings.Join(way, "/")
}

// takeTop takes what stands around the info dictionary.
func (f *File) takeTop(top map[string]bencode.Raw) {
	comment := ""
	if texts := textsOf(top["comment"]); len(texts) > 0 {
		comment = texts[0]
	}
	f.takeAround(tiersOf(top), textsOf(top["url-list"]), comment)
}

// takeAround adds the lines for what is not counted in the ID: trackers in
// tiers, of which those that may be conductors become that; web seeds; a comment.
func (f *File) takeAround(tiers [][]string, webseeds []string, comment string) {
	var conductors []string
	var lines []Line
	for _, tier := range tiers {
		var kept []string
		for _, address := range tier {
			switch c := conductorOf(address); {
			case c != "" && !slices.Contains(conductors, c):
				conductors = append(conductors, c)
			case c == "" && CheckTracker(address) == nil && !strings.Contains(address, " "):
				kept = append(kept, address)
			}
		}
		if len(kept) > 0 {
			lines = append(lines, Line{keyTracker, strings.Join(kept, " ")})
		}
	}
	for i, c := range conductors {
		if i == 0 {
			f.Conductor = c
		} else {
			f.Lines = append(f.Lines, Line{keyConductor, c})
		}
	}
	f.Lines = append(f.Lines, lines...)
	for _, address := range webseeds {
		if checkURL(address, "http", "https") == nil {
			f.Lines = append(f.Lines, Line{keyWebseed, address})
		}
	}
	if l := (Line{keyComment, comment}); comment != "" && l.Validate() == nil {
		f.Lines = append(f.Lines, l)
	}
}

// mostTrackers is how many trackers and web seeds of a torrent are kept.
const mostTrackers = 256

// tiersOf gives the tiers of trackers (BEP 12), or the one tracker.
func tiersOf(top map[string]bencode.Raw) [][]string {
	var tiers [][]string
	v, _ := bencode.DecodeLoose(top["announce-list"])
	list, _ := v.([]any)
	for _, v := range list[:min(len(list), mostTrackers)] {
		if tier := textsIn(v); len(tier) > 0 {
			tiers = append(tiers, tier)
		}
	}
	if len(tiers) == 0 {
		tiers = append(tiers, textsOf(top["announce"]))
	}
	return tiers
}

// textsOf decodes a string or a list of strings. What is neither is nothing.
func textsOf(b bencode.Raw) []string {
	v, err := bencode.DecodeLoose(b)
	if err != nil {
		return nil
	}
	return textsIn(v)
}

func textsIn(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	list, _ := v.([]any)
	var all []string
	for _, v := range list[:min(len(list), mostTrackers)] {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// take takes a value out of a dictionary.
func take[T any](dict map[string]any, key string) (v T, err error) {
	v, ok := dict[key].(T)
	if !ok {
		return v, fmt.Errorf("the key %q is missing or of another type", key)
	}
	delete(dict, key)
	return v, nil
}
