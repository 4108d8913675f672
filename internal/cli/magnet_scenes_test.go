package cli

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orchestra/orch"
)

// Who has a magnet link alone gets the description from a member, and then the content: found by
// the conductor of the link, by a peer in it, by one that the user names.
func TestGetByMagnet(t *testing.T) {
	t.Parallel()
	s := newScene(t, 4<<20, "16K")
	sharer := s.join("original")
	listens := sharer.until("its address", func(e sceneEvent) bool { return e.Address != "" }).Address
	link, err := orchestra(t, "export", "--magnet", s.orch).Output()
	if err != nil {
		t.Fatal(err)
	}
	whole := strings.TrimSpace(string(link))
	topic, _, _ := strings.Cut(whole, "&")
	_, port, _ := strings.Cut(listens[strings.LastIndex(listens, "]")+1:], ":")
	peer := "127.0.0.1:" + port
	for name, arguments := range map[string][]string{
		"link":      {whole},
		"in-link":   {topic + "&x.pe=" + peer},
		"named":     {topic, "--peer", peer},
		"conductor": {topic, "--conductor", s.address},
	} {
		p := s.get(name, arguments[0], append(slices.Clone(arguments[1:]), "--exit")...)
		if code := p.wait(); code != exitDone {
			t.Errorf("%s: exit code %d: %s", name, code, p.errors())
		}
		s.wantCopy(name)
		if left := filesIn(t, filepath.Join(s.dir, name)); len(left) != 1 {
			t.Errorf("%s: there are %v, want the content alone", name, left)
		}
	}
	text, err := orchestra(t, "import", whole, "-o", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	f, err := orch.Parse(strings.NewReader(string(text)))
	if err != nil || !strings.Contains(topic, f.ID().String()) || f.Conductor != s.address {
		t.Errorf("import writes %q, %v", text, err)
	}
}

// A magnet link of which nobody gives the description says why in a line, and gives up if it is
// told to.
func TestMagnetWithoutAnybody(t *testing.T) {
	t.Parallel()
	s := sharedScene(t, 10)
	topic := "magnet:?xt=urn:btih:0123456789012345678901234567890123456789"
	p := s.get("stalled", topic, "--peer", "127.0.0.1:1", "--stall-timeout", "5s")
	if code := p.wait(); code != exitStalled {
		t.Errorf("exit code %d", code)
	}
	if says := p.errors(); !strings.Contains(says, "waiting for the description: nobody gives it, of 1 peer known; "+
		"127.0.0.1:1 is unreachable: nothing listens there") {
		t.Errorf("it says %s", says)
	}
}

// The files that a link chooses are those of the torrent's list, pads counted.
func TestFilesChosenByMagnet(t *testing.T) {
	f := &orch.File{Name: "dir", Lines: []orch.Line{
		{Key: "file", Value: "5 a"}, {Key: "!pad", Value: "5 .pad/5"}, {Key: "file", Value: "5 b[1]"}, {Key: "file", Value: "5 c"},
	}}
	for so, want := range map[string]string{
		"": "", "0": "a", "1": "", "2-9": "b[1] c", "2,0,2": "b[1] a", "x": "", "7": "",
	} {
		m, err := orch.ParseMagnet("magnet:?xt=urn:btih:0123456789012345678901234567890123456789&so=" + so)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(chosenBy(m, f), " "); got != want {
			t.Errorf("so=%s chooses %q, want %q", so, got, want)
		}
	}
}
