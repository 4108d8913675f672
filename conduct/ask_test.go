package conduct

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"orchestra/orch"
	"orchestra/proto"
)

func asker(t *testing.T, address string, id [20]byte) *Asker {
	t.Helper()
	a, err := DialAsker(t.Context(), address, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func ask(t *testing.T, a *Asker, members int) []Status {
	t.Helper()
	all, err := a.Ask(members)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// askUntil asks until what was answered to somebody before is old enough to be found out anew.
func askUntil(t *testing.T, a *Asker, wanted func([]Status) bool) []Status {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		if got := ask(t, a, MaxListed); wanted(got) || time.Now().After(deadline) {
			return got
		}
	}
}

// callNamed announces a member with a name and so many of ten parts.
func callNamed(t *testing.T, c *Conductor, id [20]byte, n int, have uint32, label string) net.Conn {
	t.Helper()
	nc := dial(t, c.Addr().String())
	hello := proto.Handshake{Protocol: proto.Orchestra, ID: id, PeerID: peerN(n)}
	hello.SetNames()
	hello.SetTitles()
	msgs := wire(
		proto.Announce{Key: [16]byte{byte(n)}, Parts: 10, Have: have},
		proto.Named{Place: [8]byte{byte(n)}, Label: label}, proto.Titled{Title: "image\x1b.iso"},
	)
	if _, err := nc.Write(append(hello.Append(nil), msgs...)); err != nil {
		t.Fatal(err)
	}
	nc.SetReadDeadline(time.Now().Add(patience))
	answer, err := proto.ReadHandshake(nc, proto.Orchestra)
	if err != nil || !answer.Names() {
		t.Fatalf("the conductor's handshake: %+v, %v", answer, err)
	}
	if msg, err := proto.NewConductorReader(nc).Next(); err != nil {
		t.Fatalf("instead of a welcome: %v, %v", msg, err)
	}
	return nc
}

func TestAskingIsAnswered(t *testing.T) {
	c := serving(t, Config{})
	at := c.Addr().String()
	if got := ask(t, asker(t, at, [20]byte{}), 5); len(got) != 0 {
		t.Errorf("an empty conductor answers %+v", got)
	}
	if got := ask(t, asker(t, at, testID), 5); len(got) != 1 || got[0].Known != 0 || got[0].ID != testID {
		t.Errorf("of what it does not know it answers %+v", got)
	}
	for n := range 60 {
		callNamed(t, c, testID, n+1, 10, "full")
	}
	slow := callNamed(t, c, testID, 100, 6, "lab-17\x1b[2J")
	for _, id := range [][20]byte{testID, {}} { // one composition is all
		got := askUntil(t, asker(t, at, id), func(got []Status) bool { return len(got) > 0 })
		if len(got) != 1 || got[0].Complete != 60 || got[0].Known != 61 || got[0].Pending != 1 || len(got[0].Members) != 61 {
			t.Fatalf("the answer is %+v", got)
		}
		if got[0].Title != "image\x1b.iso" || got[0].Clients != 0 {
			t.Errorf("it is called %q, and %d clients are listed", got[0].Title, got[0].Clients)
		}
		m := got[0].Members[0]
		if want := (Standing{Label: "lab-17\x1b[2J", Addr: addrAt(slow.LocalAddr().String()), Have: 6, Parts: 10, Left: -1}); m != want {
			t.Errorf("the slowest is %+v, want %+v", m, want)
		}
	}
	announceHTTP(t, at, func(q url.Values) { q.Set("info_hash", string(testID[:])) })
	announceHTTP(t, at, func(q url.Values) {
		q.Set("info_hash", string(testID[:]))
		q.Set("peer_id", "-XX0001-cccccccccccc")
		q.Set("left", "0")
	})
	if got := askUntil(t, asker(t, at, testID), func(got []Status) bool { return got[0].Clients == 2 })[0]; got.Clients != 2 ||
		got.ClientsComplete != 1 || got.Complete != 60 || got.Known != 61 || len(got.Members) != 63 ||
		got.Listed != 61 || got.Members[60].Client ||
		!got.Members[61].Client ||
		!got.Members[62].Client {
		t.Errorf("with two clients, the answer is %+v", got)
	}
	callNamed(t, c, [20]byte{'o'}, 101, 0, "other")
	got := askUntil(t, asker(t, at, [20]byte{}), func(got []Status) bool { return len(got) > 1 })
	if len(got) != 2 || len(got[0].Members) != 1 || len(got[1].Members) != 1 {
		t.Fatalf("of two compositions: %+v", got)
	}
	if got := ask(t, asker(t, at, testID), 0); len(got[0].Members) != 0 {
		t.Errorf("none were asked for: %+v", got)
	}
}

func TestAskingForWhatIsNotAllowed(t *testing.T) {
	c := serving(t, Config{Allow: func(id orch.ID) bool { return id == testID }})
	_, err := asker(t, c.Addr().String(), [20]byte{'o'}).Ask(5)
	var refused *RefusedError
	if !errors.As(err, &refused) || !strings.Contains(refused.Reason, "--allow") {
		t.Errorf("asking: %v", err)
	}
	if got := ask(t, asker(t, c.Addr().String(), [20]byte{}), 5); len(got) != 0 {
		t.Errorf("asking for all: %+v", got)
	}
	g := call(t, dial(t, c.Addr().String()), 1)
	g.send(proto.Ask{})
	next[proto.Status](g)
	g.send(proto.KeepAlive{})
	g.ends()
}

// A member that says it has a name or a title, and sends none, and one that
// announces all compositions, are cut off.
func TestNameMustFollow(t *testing.T) {
	c := serving(t, Config{})
	for _, says := range []struct {
		id    [20]byte
		title bool
		msgs  []byte
	}{
		{testID, false, wire(proto.Announce{}, proto.KeepAlive{})},
		{testID, true, wire(proto.Announce{}, proto.Named{}, proto.Progress{})},
		{testID, true, wire(proto.Announce{}, proto.Titled{})},
		{[20]byte{}, false, wire(proto.Announce{}, proto.Named{})},
	} {
		nc := dial(t, c.Addr().String())
		hello := proto.Handshake{Protocol: proto.Orchestra, ID: says.id, PeerID: peerN(1)}
		hello.SetNames()
		if says.title {
			hello.SetTitles()
		}
		nc.Write(append(hello.Append(nil), says.msgs...))
		nc.SetReadDeadline(time.Now().Add(patience))
		_, err := proto.ReadHandshake(nc, proto.Orchestra)
		if err == nil { // it may be cut off before
			_, err = proto.NewConductorReader(nc).Next()
		}
		if err == nil || isTimeout(err) {
			t.Errorf("welcomed, or left alone: %v", err)
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// A conductor that breaks its bounds is not believed.
func TestAskerDistrustsTheAnswer(t *testing.T) {
	row := proto.Standings{Members: []proto.Standing{{Have: 1, Parts: 2}}}
	for name, c := range map[string]struct {
		id     [20]byte
		answer []proto.Message
	}{
		"two abouts":          {testID, []proto.Message{proto.About{ID: testID}, proto.About{ID: testID}, proto.Status{ID: testID}}},
		"an about alone":      {testID, []proto.Message{proto.About{ID: testID}, row}},
		"another composition": {testID, []proto.Message{proto.Status{ID: [20]byte{9}}}},
		"several for one":     {testID, []proto.Message{proto.Status{ID: testID, Further: 1}}},
		"more than asked":     {testID, []proto.Message{proto.Status{ID: testID, Rows: 6}}},
		"too many at once":    {testID, []proto.Message{proto.Status{ID: testID, Rows: 1}, proto.Standings{Members: append(row.Members, row.Members...)}}},
		"empty rows":          {testID, []proto.Message{proto.Status{ID: testID, Rows: 1}, proto.Standings{}}},
		"endless":             {[20]byte{}, []proto.Message{proto.Status{ID: testID, Further: 5}, proto.Status{ID: testID, Further: 5}}},
		"out of order":        {testID, []proto.Message{row}},
		"many rows of many": {[20]byte{}, []proto.Message{
			proto.Status{ID: testID, Further: 1, Rows: 1}, row, proto.Status{ID: testID, Rows: 2},
		}},
		"many rows of the first of many": {[20]byte{}, []proto.Message{proto.Status{ID: testID, Further: 1, Rows: 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() {
				nc, err := ln.Accept()
				if err != nil {
					served <- err
					return
				}
				defer nc.Close()
				hello, err := proto.ReadHandshake(nc, proto.Orchestra)
				nc.Write(append(hello.Append(nil), wire(c.answer...)...))
				if err == nil {
					_, err = proto.NewConductorReader(nc).Next()
				}
				served <- err
			}()
			defer func() { ln.Close(); <-served }()
			if got, err := asker(t, ln.Addr().String(), c.id).Ask(5); !errors.Is(err, proto.ErrMalformed) {
				t.Errorf("%+v, %v: want malformed", got, err)
			}
		})
	}
}

// A conductor of an older version says nothing about a composition, and one of
// a later version may say more than is known. What is said of another
// composition counts for none.
func TestAskerOfOtherVersions(t *testing.T) {
	status := proto.Status{ID: testID, Complete: 1, Known: 2}
	later := []byte{0, 0, 0, 3, 99, 1, 2}
	for name, c := range map[string]struct {
		in   []byte
		want Status
	}{
		"older": {wire(status), Status{ID: testID, Complete: 1, Known: 2}},
		"the same": {
			wire(proto.About{ID: testID, Title: "t", Listed: 1, Clients: 3, Complete: 2}, status),
			Status{ID: testID, Title: "t", Complete: 1, Known: 2, Listed: 1, Clients: 3, ClientsComplete: 2},
		},
		"later": {
			slices.Concat(later, wire(proto.About{ID: testID, Title: "t"}), later, wire(status)),
			Status{ID: testID, Title: "t", Complete: 1, Known: 2},
		},
		"of another": {wire(proto.About{ID: [20]byte{9}, Title: "t", Clients: 3}, status), Status{ID: testID, Complete: 1, Known: 2}},
	} {
		said := bytes.NewReader(c.in)
		a := &Asker{nc: answers{Reader: said}, frames: proto.NewConductorReader(said), id: testID}
		got, err := a.Ask(5)
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestAskerEndsWithItsContext(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := DialAsker(ctx, ln.Addr().String(), testID)
		ended <- err
	}()
	nc, err := ln.Accept() // it is connected, and waits for a handshake
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("connected to nobody")
		}
	case <-time.After(patience):
		t.Fatal("it waits on")
	}
	if text := fmt.Sprint(&RefusedError{"full"}); text != "the conductor refused: full" {
		t.Error(text)
	}
}

// answers is a connection on which everything was said already; what is written to it is nobody's.
type answers struct {
	net.Conn
	*bytes.Reader
}

func (a answers) Read(p []byte) (int, error)    { return a.Reader.Read(p) }
func (a answers) Write(p []byte) (int, error)   { return len(p), nil }
func (a answers) SetDeadline(_ time.Time) error { return nil }

// Whatever a conductor answers, no more of it is kept than was asked for.
func FuzzAsk(f *testing.F) {
	row := proto.Standings{Members: []proto.Standing{{Have: 1, Parts: 2, Label: "lab"}}}
	f.Add(wire(proto.Status{ID: testID, Complete: 1, Known: 2, Rows: 1}, row), true, 5)
	f.Add(wire(proto.Status{ID: testID, Further: 1, Rows: 1}, row, proto.Status{ID: [20]byte{9}}), false, 5)
	f.Add(wire(proto.Status{ID: testID, Further: 1, Rows: 2}, row, row, proto.Status{}), false, 5)
	f.Add(
		wire(
			proto.About{ID: testID, Clients: 2, Complete: 1, Title: "t"},
			proto.Status{ID: testID},
		),
		true,
		5,
	)
	f.Add(wire(proto.KeepAlive{}, proto.Refused{Reason: "no"}), true, 0)
	f.Fuzz(func(t *testing.T, in []byte, one bool, members int) {
		if members < 0 {
			return
		}
		said := bytes.NewReader(in)
		a := &Asker{nc: answers{Reader: said}, frames: proto.NewConductorReader(said)}
		if one {
			a.id = testID
		}
		all, err := a.Ask(members)
		if err != nil {
			return
		}
		if len(all) > proto.MaxStatuses || one && (len(all) != 1 || all[0].ID != testID) {
			t.Fatalf("%d compositions: %+v", len(all), all)
		}
		if len(all) > 1 {
			members = min(members, 1)
		}
		for _, s := range all {
			if len(s.Members) > min(members, MaxListed) || s.Complete > s.Known {
				t.Errorf("%+v: more than the %d members that were asked for, or more complete than there are", s, members)
			}
			for _, m := range s.Members {
				if len(m.Label) > MaxLabel || m.Have > m.Parts {
					t.Errorf("%+v", m)
				}
			}
		}
	})
}
