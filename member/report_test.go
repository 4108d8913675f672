package member

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"orchestra/proto"
)

func TestReportsTellWhatChanged(t *testing.T) {
	var r reports
	start := time.Unix(1000, 0)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	peers := []Peer{{ID: [20]byte{1}, Received: 10}, {ID: [20]byte{2}, Received: 30}, {ID: [20]byte{3}}}
	in := &Insight{Bits: []byte{0, 0x80, 0, 1}, Peers: peers}
	if got := r.changes(at(0), in); got != nil || r.rhythm() != progressEvery {
		t.Fatalf("unasked it tells %v, every %v", got, r.rhythm())
	}
	r.ask(2 * time.Second)
	if r.rhythm() != 2*time.Second {
		t.Errorf("asked for every 2 s it speaks every %v", r.rhythm())
	}
	want := []proto.Message{
		proto.Holds{First: 1, Bits: []byte{0x80, 0, 1}},
		proto.Received{From: []proto.Source{{PeerID: proto.PeerID{2}, Bytes: 30}, {PeerID: proto.PeerID{1}, Bytes: 10}}},
	}
	if got := r.changes(at(0), in); !reflect.DeepEqual(got, want) {
		t.Errorf("first %v", got)
	}
	in.Bits, in.Progress.Waiting = []byte{0, 0x80, 0x10, 1}, "connected to nobody"
	in.Peers = []Peer{{ID: [20]byte{1}, Received: 10}, {ID: [20]byte{2}, Received: 5}}
	if got := r.changes(at(1), in); got != nil {
		t.Errorf("too early %v", got)
	}
	want = []proto.Message{
		proto.Holds{First: 2, Bits: []byte{0x10}},
		proto.Received{From: []proto.Source{{PeerID: proto.PeerID{2}, Bytes: 5}}}, // a new link
		proto.Waits{Why: "connected to nobody"},
	}
	if got := r.changes(at(2), in); !reflect.DeepEqual(got, want) {
		t.Errorf("then %v", got)
	}
	if got := r.changes(at(4), in); got != nil {
		t.Errorf("without a change %v", got)
	}
	r.ask(0)
	if got := r.changes(at(6), in); got != nil {
		t.Errorf("no longer asked %v", got)
	}
	r.ask(2 * time.Second)
	if got := r.changes(at(7), in); len(got) != 3 {
		t.Errorf("asked again it tells %v, not all", got)
	}
	in.Progress.Complete, in.Progress.Waiting = true, ""
	if got := r.changes(at(9), in); !reflect.DeepEqual(got, []proto.Message{proto.Waits{}}) {
		t.Errorf("complete %v", got)
	}
}

// However large the bitfield and however it changes, a report is small and the conductor has all of
// it in the end.
func TestHoldsAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{1, 100, proto.MaxHolds, proto.MaxHolds + 1, 5*proto.MaxHolds + 7} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			r := reports{every: time.Second}
			bits, known := make([]byte, size), make([]byte, size)
			for step := range 200 {
				if step < 150 {
					for range 20 {
						bits[random.IntN(size)] ^= byte(1 << random.IntN(8))
					}
				}
				h, ok := r.holds(bits)
				if !ok {
					continue
				}
				if len(h.Bits) == 0 || len(h.Bits) > proto.MaxHolds || int(h.First)+len(h.Bits) > size {
					t.Fatalf("%d bytes from %d on", len(h.Bits), h.First)
				}
				copy(known[h.First:], h.Bits)
			}
			if !bytes.Equal(bits, known) {
				t.Error("the conductor has something else")
			}
		})
	}
}

func TestReceivedIsBounded(t *testing.T) {
	var r reports
	var peers []Peer
	for i := range 60 {
		peers = append(peers, Peer{ID: [20]byte{byte(i)}, Received: int64(i + 1)})
	}
	seen := map[proto.PeerID]uint64{}
	for range 4 {
		from := r.received(peers)
		if len(from) > proto.MaxReceived {
			t.Fatalf("%d peers at once", len(from))
		}
		for _, s := range from {
			seen[s.PeerID] = s.Bytes
		}
	}
	if len(seen) != 60 || seen[proto.PeerID{59}] != 60 {
		t.Errorf("%d of 60 were told of in the end", len(seen))
	}
}

// What a report costs a member with 2,048 parts and 20 peers, a few of which send.
func BenchmarkReport(b *testing.B) {
	in := &Insight{Bits: make([]byte, 256)}
	for i := range 20 {
		in.Peers = append(in.Peers, Peer{ID: [20]byte{byte(i)}})
	}
	r := reports{every: time.Second}
	now, sent := time.Unix(1000, 0), 0
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Second)
		in.Bits[i%256]++
		in.Bits[(i*7)%256]++
		for p := range 4 {
			in.Peers[p].Received += 1 << 16
		}
		for _, msg := range r.changes(now, in) {
			sent += len(proto.Append(nil, msg))
		}
	}
	b.ReportMetric(float64(sent)/float64(b.N), "bytes/report")
}
