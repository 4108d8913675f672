package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"orchestra/orch"
)

// A torrentMaker makes a torrent of the music in dir, beside it. address is the tracker's, and
// announce its URL. joined is what members open, opened what guests do.
type torrentMaker struct {
	name  string
	needs []debianProgram
	make  func(t *testing.T, dir, address, announce string) (joined, opened string)
}

var (
	composedTorrent = torrentMaker{"composed", nil, func(t *testing.T, dir, address, _ string) (string, string) {
		orchPath := filepath.Join(dir, "music.orch")
		runHere(t, orchestra(t, "compose", filepath.Join(dir, "music"), "-q", "--torrent",
			"-s", fmt.Sprint(interopPartSize), "-c", address, "-o", orchPath))
		return orchPath, filepath.Join(dir, "music.torrent")
	}}
	exportedTorrent = torrentMaker{"exported", nil, func(t *testing.T, dir, address, _ string) (string, string) {
		orchPath, torrent := filepath.Join(dir, "music.orch"), filepath.Join(dir, "exported.torrent")
		runHere(t, orchestra(t, "compose", filepath.Join(dir, "music"), "-q",
			"-s", fmt.Sprint(interopPartSize), "-c", address, "-o", orchPath))
		runHere(t, orchestra(t, "export", orchPath, "-o", torrent))
		return orchPath, torrent
	}}
	mktorrentTorrent = othersTorrent("mktorrent's", debianProgram{"mktorrent", "mktorrent"},
		func(music, announce, torrent string) []string {
			return []string{"-l", "15", "-a", announce, "-o", torrent, music}
		})
	transmissionTorrent = othersTorrent("transmission-create's",
		debianProgram{"transmission-create", "transmission-cli"},
		func(music, announce, torrent string) []string {
			return []string{"-s", "32", "-t", announce, "-o", torrent, music}
		})
	libtorrentTorrent = othersTorrent("libtorrent's", systemPython, libtorrentArguments("v1_only"))
	hybridTorrent     = othersTorrent("hybrid", systemPython, libtorrentArguments(""))
)

var interopMakers = []torrentMaker{
	composedTorrent, exportedTorrent, mktorrentTorrent, transmissionTorrent, libtorrentTorrent,
	hybridTorrent,
}

// magnetOf returns the magnet link of a composition or torrent.
func magnetOf(t *testing.T, path string) string {
	t.Helper()
	link, err := orchestra(t, "export", "--magnet", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(link))
}

// systemPython is the Python that finds Debian's modules.
var systemPython = debianProgram{"/usr/bin/python3", "python3-libtorrent"}

// othersTorrent is made by another program, and opened by all.
func othersTorrent(
	name string, program debianProgram, arguments func(music, announce, torrent string) []string,
) torrentMaker {
	make := func(t *testing.T, dir, _, announce string) (string, string) {
		torrent := filepath.Join(dir, "theirs.torrent")
		made := arguments(filepath.Join(dir, "music"), announce, torrent)
		runHere(t, exec.Command(program.name, made...))
		return torrent, torrent
	}
	return torrentMaker{name, []debianProgram{program}, make}
}

// libtorrentArguments are those of a script that makes a torrent, hybrid unless the flag is
// v1_only.
func libtorrentArguments(flag string) func(music, announce, torrent string) []string {
	const script = `
import libtorrent, os, sys
music, announce, torrent, part, flag = sys.argv[1:]
flags = getattr(libtorrent.create_torrent, flag) if flag else 0
files = libtorrent.file_storage()
libtorrent.add_files(files, music)
made = libtorrent.create_torrent(files, int(part), flags)
made.add_tracker(announce)
libtorrent.set_piece_hashes(made, os.path.dirname(music))
with open(torrent, "wb") as out:
    out.write(libtorrent.bencode(made.generate()))
`
	return func(music, announce, torrent string) []string {
		return []string{"-c", script, music, announce, torrent, fmt.Sprint(interopPartSize), flag}
	}
}

// runHere runs a command to its end and returns what it printed.
func runHere(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", cmd.Args, err, text)
	}
	return string(text)
}

// interopTorrents compares what we say of torrents, theirs and ours, with what others say.
func interopTorrents(t *testing.T) {
	shower := debianProgram{"transmission-show", "transmission-cli"}
	for _, content := range []interopContent{oneFile, aFolder} {
		for _, maker := range interopMakers {
			t.Run(maker.name+" of "+content.name, func(t *testing.T) {
				t.Parallel()
				needPrograms(t, shower, systemPython)
				needPrograms(t, maker.needs...)
				dir := t.TempDir()
				content.make().write(t, dir)
				_, torrent := maker.make(t, dir, "127.0.0.1:9999", "http://127.0.0.1:9999/announce")
				f, err := orch.OpenTorrent(torrent)
				if err != nil {
					t.Fatal(err)
				}
				id := f.ID().String()
				// Transmission before version 4 reads no hybrid torrents.
				if maker.name == hybridTorrent.name {
					t.Log("not shown to transmission-show")
				} else if says := runHere(t, exec.Command(shower.name, torrent)); !strings.Contains(says, id) {
					t.Errorf("ID %s; transmission-show says %s", id, says)
				}
				const script = "import libtorrent, sys; print(libtorrent.torrent_info(sys.argv[1]).info_hashes().v1)"
				if says := runHere(t, exec.Command(systemPython.name, "-c", script, torrent)); !strings.Contains(says, id) {
					t.Errorf("ID %s; libtorrent says %s", id, says)
				}
				// Every part is where the torrent says.
				runHere(t, orchestra(t, "verify", torrent, filepath.Join(dir, "music")))
			})
		}
	}
	for _, content := range []interopContent{oneFile, aFolder, anEmptyFile} {
		t.Run(content.name+" composed is mktorrent's", func(t *testing.T) {
			t.Parallel()
			needPrograms(t, mktorrentTorrent.needs...)
			dir := t.TempDir()
			content.make().write(t, dir)
			_, theirs := mktorrentTorrent.make(t, dir, "", "http://127.0.0.1:9999/announce")
			_, ours := composedTorrent.make(t, dir, "127.0.0.1:9999", "")
			if a, b := infoOf(t, ours), infoOf(t, theirs); !bytes.Equal(a, b) {
				t.Errorf("the info dictionary is %.300q, mktorrent's %.300q", a, b)
			}
			runHere(t, orchestra(t, "verify", theirs, filepath.Join(dir, "music")))
		})
	}
}

// infoOf is the info dictionary of a torrent whose last key it is.
func infoOf(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := bytes.Cut(text, []byte("4:info"))
	if !found {
		t.Fatalf("%s has no info dictionary", path)
	}
	return bytes.TrimSuffix(after, []byte("e"))
}
