package proto

import (
	"bytes"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const docPath = "../docs/protocol.md"

func readDoc(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(docPath)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// rows returns the cells of all table rows of the doc.
func rows(doc string) [][]string {
	var out [][]string
	for line := range strings.Lines(doc) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		out = append(out, cells)
	}
	return out
}

// The messages as the doc's tables name them.
var docMessages = map[string]Message{
	"keep-alive": KeepAlive{}, "choke": Choke{}, "unchoke": Unchoke{}, "interested": Interested{}, "not interested": NotInterested{},
	"have": Have{}, "bitfield": Bitfield{}, "request": Request{}, "piece": Piece{}, "cancel": Cancel{}, "port": Port{},
	"suggest": Suggest{}, "have all": HaveAll{}, "have none": HaveNone{}, "reject": Reject{}, "allowed fast": AllowedFast{},
	"extended": Extended{}, "announce": Announce{}, "progress": Progress{}, "complain": Complain{}, "welcome": Welcome{},
	"joined": Joined{}, "left": Left{}, "reachable": Reachable{}, "refused": Refused{},
	"named": Named{}, "await": Await{}, "ask": Ask{}, "copies": Copies{}, "status": Status{}, "standings": Standings{},
	"listed": Listed{}, "accused": Accused{}, "titled": Titled{}, "about": About{},
	"watch": Watch{}, "content": Content{}, "holds": Holds{}, "received": Received{}, "waits": Waits{},
	"open": Open{}, "within": Within{}, "shut": Shut{},
}

// layoutField is a field of a layout cell and its size.
var layoutField = regexp.MustCompile(`^[a-z ]+ ([0-9]+)(?: \(.*\))?$`)

func TestDocMessageTables(t *testing.T) {
	seen := make(map[string]bool)
	for _, cells := range rows(readDoc(t)) {
		if len(cells) < 3 {
			continue
		}
		m, known := docMessages[cells[1]]
		id, err := strconv.ParseUint(cells[0], 10, 8)
		switch {
		case !known && err == nil && len(cells) == 4:
			t.Errorf("%s: message %q is not known", docPath, cells[1])
			continue
		case !known:
			continue
		}
		seen[cells[1]] = true
		frame := Append(nil, m)
		if cells[0] == "-" {
			if len(frame) != lengthSize {
				t.Errorf("%s: %s has the frame % x, but no id in the doc", docPath, cells[1], frame)
			}
			continue
		}
		if err != nil || len(frame) == lengthSize || uint64(frame[lengthSize]) != id {
			t.Errorf("%s: %s has the frame % x, but the id %q in the doc", docPath, cells[1], frame, cells[0])
			continue
		}
		// The zero message has the fixed-size fields, and of each list, text
		// or address one byte.
		size := 0
		for field := range strings.SplitSeq(cells[2], ", ") {
			switch size1 := layoutField.FindStringSubmatch(field); {
			case size1 != nil:
				n, _ := strconv.Atoi(size1[1])
				size += n
			case strings.HasSuffix(field, " list"), strings.HasSuffix(field, " text"), strings.HasSuffix(field, " address"):
				size++
			case field == "none", field == "bits", field == "content", field == "payload", field == "the rest",
				strings.HasPrefix(field, "then so many "):
			default:
				t.Errorf("%s: %s: the layout %q cannot be read at %q", docPath, cells[1], cells[2], field)
			}
		}
		if got := len(frame) - lengthSize - 1; got != size {
			t.Errorf("%s: %s has %d bytes of payload, but %d in the doc (%s)", docPath, cells[1], got, size, cells[2])
		}
	}
	for name := range docMessages {
		if !seen[name] {
			t.Errorf("%s: no table has the message %s", docPath, name)
		}
	}
}

func TestDocLimits(t *testing.T) {
	want := map[string]int64{
		"block: what is asked of a BitTorrent client, bytes":   Block,
		"longest request that is answered by one piece, bytes": MaxBlock,
		"longest content of one piece message, bytes":          MaxPiece,
		"longest request that can be agreed on, bytes":         MaxRequest,
		"longest frame of an extended message, bytes":          maxExtended,
		"longest payload of an extension handshake, bytes":     MaxExtHandshake,
		"parts that a choked client may ask for":               FastSetSize,
		"longest frame to or from a conductor, bytes":          MaxConductorFrame,
		"addresses of one member":                              MaxAddrs,
		"members in one joined, peer ids in one left":          MaxMembers,
		"standings in one standings":                           MaxMembers,
		"members that one ask is told of":                      MaxRows,
		"compositions that one ask is told of":                 MaxStatuses,
		"bytes of a text":                                      MaxText,
		"bytes of a label":                                     MaxLabel,
		"channels of one connection":                           MaxChannels,
		"members that a member dials":                          Dials,
		"connections to members":                               MeshPeers,
		"connections to members in a chain":                    ChainPeers,
		"bytes of bits in one holds":                           MaxHolds,
		"peers in one received":                                MaxReceived,
		"time for the handshake, s":                            int64(HandshakeTimeout / time.Second),
		"a member sends to its conductor at least every, s":    int64(PingInterval / time.Second),
		"silence on a conductor connection that ends it, s":    int64(SilenceTimeout / time.Second),
	}
	doc := readDoc(t)
	for _, cells := range rows(doc) {
		if len(cells) != 2 {
			continue
		}
		n, err := strconv.ParseInt(strings.ReplaceAll(cells[1], ",", ""), 10, 64)
		if err != nil {
			continue
		}
		if w, known := want[cells[0]]; !known || w != n {
			t.Errorf("%s: %q is %d in the doc, %d in the code (known: %t)", docPath, cells[0], n, w, known)
		}
		delete(want, cells[0])
	}
	for name := range want {
		t.Errorf("%s: the limit %q is missing", docPath, name)
	}
	for name, payload := range map[string]string{ExtDontHave: "part 4", ExtBad: "part 4", ExtDismiss: "none"} {
		if !strings.Contains(doc, "| `"+name+"` | "+payload+" |") {
			t.Errorf("%s: the extended message %s is missing", docPath, name)
		}
	}
	for name, payload := range map[string]string{ExtDismiss: "none", ExtSpare: "on 1", ExtRegroup: "what 1"} {
		if !strings.Contains(doc, "| `"+name+"` | "+payload+" |") {
			t.Errorf("%s: the extended message %s is missing", docPath, name)
		}
	}
	for _, key := range []string{"m", "orch_maxreq", "p", "reqq", "upload_only", "v", "yourip"} {
		if !strings.Contains(doc, "| `"+key+"` |") {
			t.Errorf("%s: the key %s of the extension handshake is missing", docPath, key)
		}
	}
}

// docExamples is what the doc's examples mean: a Handshake or a Message.
func docExamples() map[string]any {
	h := Handshake{Protocol: Orchestra, ID: [20]byte(bytes.Repeat([]byte{0xaa}, 20)), PeerID: PeerID([]byte("-OR0100-abcdefghijkl"))}
	named := h
	named.SetNames()
	titled := named
	titled.SetTitles()
	many := h
	many.ID = [20]byte{}
	many.SetNames()
	many.SetTitles()
	many.SetChannels()
	bt := h
	bt.Protocol = BitTorrent
	bt.SetFast()
	bt.SetExtended()
	key := [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	ext := ExtHandshake{Version: "Orchestra", Reqq: 250, Port: 10001, MaxRequest: 1 << 20}
	return map[string]any{
		"handshake between members":             bt,
		"handshake to a conductor":              h,
		"keep-alive":                            KeepAlive{},
		"unchoke":                               Unchoke{},
		"have":                                  Have{258},
		"bitfield":                              Bitfield{[]byte{0x80, 0x40}},
		"bulk request":                          Request{5, 1 << 20, 1 << 20},
		"header of a piece":                     Piece{5, 1 << 20, 256 << 10},
		"cancel":                                Cancel{5, 1<<20 + 256<<10, 768 << 10},
		"reject":                                Reject{5, 1572864, 512 << 10},
		"extension handshake":                   Extended{ExtHandshakeID, ext.Append(nil)},
		"announce":                              Announce{Key: key, Port: 10001, Addrs: addrs("10.0.0.7:10001"), Parts: 2048, Want: 50},
		"announce with advertise":               Announce{Key: key, Port: 10001, Advertise: "example.org:10001", Parts: 2048, Have: 2048, Want: 50},
		"progress":                              Progress{1024, 5 << 20, 16 << 20},
		"complain":                              Complain{h.PeerID, 9},
		"welcome":                               Welcome{netip.MustParseAddrPort("192.0.2.7:50000")},
		"joined":                                Joined{[]Member{{h.PeerID, addrs("192.0.2.8:10001", "[2001:db8::8]:10001")}}},
		"left":                                  Left{[]PeerID{h.PeerID}},
		"reachable":                             Reachable{true, netip.MustParseAddrPort("192.0.2.7:10001")},
		"refused":                               Refused{"full"},
		"handshake of a member that has a name": named,
		"named":                                 Named{[8]byte{1, 2, 3, 4, 5, 6, 7, 8}, "lab-17"},
		"await":                                 Await{200},
		"copies":                                Copies{200},
		"ask":                                   Ask{5},
		"status":                                Status{ID: [20]byte(h.PeerID), Complete: 187, Known: 200, Pending: 13, Left: 40, Rows: 1},
		"standings":                             Standings{[]Standing{{1249, 2048, 40, netip.MustParseAddrPort("192.0.2.7:50000"), "lab-17"}}},
		"listed":                                Listed{101},
		"accused":                               Accused{9},
		"watch":                                 Watch{2},
		"content":                               Content{2048 << 14, 1 << 14, "0.4"},
		"holds":                                 Holds{1, []byte{0x80, 0x40}},
		"received":                              Received{[]Source{{h.PeerID, 5 << 20}}},
		"waits":                                 Waits{"connected to nobody"},
		"handshake for many compositions":       many,
		"open":                                  Open{3, h.ID, h.PeerID},
		"within":                                Within{3, []byte{0x59, 0, 0, 0, 9}},
		"shut":                                  Shut{3},
		"a part is gone":                        Extended{3, AppendPart(nil, 9)},
		"handshake of a member that tells the content's name": titled,
		"titled": Titled{"image.iso"},
		"about": About{
			ID:       [20]byte(h.PeerID),
			Listed:   1,
			Clients:  3,
			Complete: 1,
			Title:    "image.iso",
		},
	}
}

func TestDocExamples(t *testing.T) {
	want := docExamples()
	block := regexp.MustCompile("(?ms)^```hex ([^\n]*)\n(.*?)^```$")
	for _, found := range block.FindAllStringSubmatch(readDoc(t), -1) {
		name, b := found[1], unhex(t, found[2])
		w, known := want[name]
		if !known {
			t.Errorf("%s: example %q is not known here, or there twice", docPath, name)
			continue
		}
		delete(want, name)
		encoded, decoded := codec(t, name, w, b)
		if !bytes.Equal(encoded, b) {
			t.Errorf("%s: %s\nin the doc % x\nin the code % x", docPath, name, b, encoded)
		}
		if !reflect.DeepEqual(decoded, w) {
			t.Errorf("%s: %s is read as %#v, expected %#v", docPath, name, decoded, w)
		}
	}
	for name := range want {
		t.Errorf("%s: the example %q is missing", docPath, name)
	}
}

// codec returns the encoding of v, and what b is as the same kind of thing.
func codec(t *testing.T, name string, v any, b []byte) (encoded []byte, decoded any) {
	t.Helper()
	var err error
	switch v := v.(type) {
	case Handshake:
		encoded = v.Append(nil)
		decoded, err = ReadHandshake(bytes.NewReader(b), BitTorrent, Orchestra)
	case Announce, Progress, Complain, Welcome, Joined, Left, Reachable, Refused, Named, Await, Ask,
		Copies, Status, Standings, Listed, Accused, Titled, About, Watch, Content, Holds, Received,
		Waits, Open, Within, Shut:
		encoded = Append(nil, v.(Message))
		decoded, err = NewConductorReader(bytes.NewReader(b)).Next()
	default:
		encoded = Append(nil, v.(Message))
		decoded, err = NewReader(bytes.NewReader(b), MaxFrame(10), 0).Next()
	}
	if err != nil {
		t.Errorf("%s: %s: %v", docPath, name, err)
	}
	return encoded, decoded
}
