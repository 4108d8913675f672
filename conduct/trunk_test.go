package conduct

import (
	"net"
	"testing"
	"time"

	"orchestra/orch"
	"orchestra/proto"
)

// callTrunk connects as a member of many compositions does.
func callTrunk(t *testing.T, c *Conductor, wantChannels bool) *guest {
	t.Helper()
	return greetTrunk(t, dial(t, c.Addr().String()), wantChannels)
}

// greetTrunk does so on a connection that somebody else closes.
func greetTrunk(t *testing.T, nc net.Conn, wantChannels bool) *guest {
	t.Helper()
	g := &guest{t: t, nc: nc, peer: peerN(99)}
	g.nc.SetReadDeadline(time.Now().Add(patience))
	hello := proto.Handshake{Protocol: proto.Orchestra, PeerID: g.peer}
	hello.SetNames()
	hello.SetTitles()
	hello.SetChannels()
	g.write(hello.Append(nil))
	answer, err := proto.ReadHandshake(g.nc, proto.Orchestra)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Channels() != wantChannels {
		t.Fatalf("it takes channels: %v, want %v", answer.Channels(), wantChannels)
	}
	g.in = proto.NewConductorReader(g.nc)
	return g
}

// within says something on a channel.
func (g *guest) within(channel uint16, msgs ...proto.Message) {
	g.t.Helper()
	for _, msg := range msgs {
		g.write(proto.AppendWithin(nil, channel, msg))
	}
}

// open opens a channel and announces a member on it.
func (g *guest) open(channel uint16, id [20]byte, n int) {
	g.t.Helper()
	g.send(proto.Open{Channel: channel, ID: id, PeerID: peerN(n)})
	g.within(channel, proto.Announce{Key: [16]byte{byte(n)}, Parts: 9, Want: 50},
		proto.Named{Label: "many"}, proto.Titled{Title: "title"})
}

// nextWithin waits for a message on a channel.
func nextWithin[T proto.Message](g *guest, channel uint16) T {
	g.t.Helper()
	for {
		w := next[proto.Within](g)
		m, err := proto.DecodeConductor(w.Frame)
		if err != nil {
			g.t.Fatal(err)
		}
		if m, ok := m.(T); ok && w.Channel == channel {
			return m
		}
	}
}

var otherID = [20]byte{4, 5, 6}

func TestTrunk(t *testing.T) {
	c := serving(t, Config{Allow: func(id orch.ID) bool { return id != orch.ID{7} }})
	a := visit(t, c, 1)
	a.send(proto.Announce{Port: 7, Want: 50})
	next[proto.Welcome](a)

	g := callTrunk(t, c, true)
	g.open(1, testID, 2)
	g.open(2, otherID, 3)
	if got := nextWithin[proto.Joined](g, 1).Members; len(got) != 1 || got[0].PeerID != a.peer {
		t.Errorf("on the first channel it is told of %v", got)
	}
	nextWithin[proto.Welcome](g, 2)
	g.send(proto.KeepAlive{})
	next[proto.KeepAlive](g)

	// A composition that is not taken costs itself alone.
	g.send(proto.Open{Channel: 3, ID: orch.ID{7}, PeerID: peerN(4)})
	if why := nextWithin[proto.Refused](g, 3).Reason; why != refusedComposition {
		t.Errorf("refused: %q", why)
	}
	if shut := next[proto.Shut](g); shut.Channel != 3 {
		t.Errorf("told %+v", shut)
	}
	g.send(proto.Shut{Channel: 3})

	// One that is let go has left, and its channel can be used again.
	b := visit(t, c, 5)
	b.send(proto.Announce{Port: 8, Want: 50})
	if n := next[proto.Listed](b).Members; n != 3 {
		t.Errorf("%d are listed", n)
	}
	g.send(proto.Shut{Channel: 1})
	if shut := next[proto.Shut](g); shut.Channel != 1 {
		t.Errorf("told %+v", shut)
	}
	g.open(1, testID, 6)
	nextWithin[proto.Welcome](g, 1)
	g.within(2, proto.Progress{Have: 9})
	if n := awaitCopy(t, c, otherID).Complete; n != 1 {
		t.Errorf("%d are complete, as one said within the other channel", n)
	}
}

// awaitCopy asks how far a composition is, until somebody is complete.
func awaitCopy(t *testing.T, c *Conductor, id [20]byte) Status {
	t.Helper()
	asker, err := DialAsker(t.Context(), c.Addr().String(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer asker.Close()
	for deadline := time.Now().Add(patience); ; {
		all, err := asker.Ask(0)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 1 && all[0].Complete > 0 || time.Now().After(deadline) {
			return all[0]
		}
	}
}

// What no member says ends the connection, however many compositions it has.
func TestTrunkOfAnEnemy(t *testing.T) {
	c := serving(t, Config{})
	in := func(channel uint16, m proto.Message) proto.Message {
		return proto.Within{Channel: channel, Frame: proto.Append(nil, m)[4:]}
	}
	begins := []proto.Message{
		proto.Open{Channel: 1, ID: testID},
		in(1, proto.Announce{}), in(1, proto.Named{}), in(1, proto.Titled{}),
	}
	var tooMany []proto.Message
	for i := range proto.MaxChannels + 1 {
		tooMany = append(tooMany, proto.Open{Channel: uint16(i), ID: testID})
	}
	for what, says := range map[string][]proto.Message{
		"opens a channel twice":        append(begins[:4:4], proto.Open{Channel: 1, ID: otherID}),
		"opens one for no composition": {proto.Open{Channel: 1}},
		"begins with a progress":       {begins[0], in(1, proto.Progress{})},
		"has no name":                  {begins[0], begins[1], begins[3]},
		"has no title":                 {begins[0], begins[1], begins[2], begins[2]},
		"opens within a channel":       append(begins[:4:4], in(1, proto.Open{Channel: 2, ID: otherID})),
		"asks within a channel first":  {begins[0], in(1, proto.Ask{})},
		"says a frame that is none":    append(begins[:4:4], proto.Within{Channel: 1, Frame: []byte{65, 1}}),
		"speaks as a conductor":        append(begins[:4:4], in(1, proto.Copies{})),
		"announces outside":            {proto.Announce{}},
		"opens too many":               tooMany,
	} {
		g := callTrunk(t, c, true)
		var b []byte
		for _, m := range says {
			b = proto.Append(b, m)
		}
		_, _ = g.nc.Write(b) // which the conductor need not read to its end
		t.Log(what)
		g.ends()
	}
	// On a channel that is not open anything may still be on its way.
	g := callTrunk(t, c, true)
	g.within(9, proto.Progress{})
	g.send(proto.KeepAlive{})
	next[proto.KeepAlive](g)
}

// One source has so many of these connections; others are for one composition each.
func TestTrunksOfOneSource(t *testing.T) {
	c := serving(t, Config{})
	var all []*guest
	for range trunksPerSource {
		all = append(all, callTrunk(t, c, true))
	}
	callTrunk(t, c, false)
	all[0].nc.Close()
	for deadline := time.Now().Add(patience); ; {
		c.gate.mu.Lock()
		n := c.gate.trunks[source(addr("127.0.0.1"))]
		c.gate.mu.Unlock()
		if n < trunksPerSource {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a place is not given back")
		}
		time.Sleep(time.Millisecond)
	}
	callTrunk(t, c, true)
}
