package member_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/proto"
)

// diary is a member's log that is read while it is written.
type diary struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.buf.Write(p)
}

// lines are those that match.
func (d *diary) lines(pattern string) (list []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	re := regexp.MustCompile(pattern)
	for line := range strings.Lines(d.buf.String()) {
		if re.MatchString(line) {
			list = append(list, line)
		}
	}
	return list
}

// noted lets a member join that keeps a diary.
func (s *score) noted(cfg member.Config) (*player, *diary) {
	d := &diary{}
	s.log = d
	defer func() { s.log = nil }()
	return s.join(cfg), d
}

// change writes other bytes into a part of a file, in place.
func change(t *testing.T, path string, partSize int64, parts ...int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, part := range parts {
		var b [1]byte
		at := int64(part)*partSize + 5
		if _, err := f.ReadAt(b[:], at); err != nil {
			t.Fatal(err)
		}
		b[0]++
		if _, err := f.WriteAt(b[:], at); err != nil {
			t.Fatal(err)
		}
	}
}

func end(t *testing.T, players ...*player) {
	t.Helper()
	for _, p := range players {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
}

// One byte of the only source's file changes while it shares. All the good parts reach everybody,
// both sides name the part, the source offers it no more, and a good source completes everybody.
func TestOneBadPartAtTheOnlySource(t *testing.T) {
	const parts, bad, partSize = 200, 100, 64 << 10
	s := newScore(t, parts*partSize, partSize)
	good := filepath.Join(t.TempDir(), s.file.Name)
	if err := os.WriteFile(good, s.content, 0o666); err != nil {
		t.Fatal(err)
	}
	source, says := s.noted(member.Config{Dir: s.dir})
	s.wantComplete(source)
	change(t, filepath.Join(s.dir, s.file.Name), partSize, bad)
	var players []*player
	var diaries []*diary
	peers := []string{source.Addr().String()}
	for range 3 {
		p, d := s.noted(member.Config{Dir: t.TempDir(), Peers: peers})
		peers = append(peers, p.Addr().String())
		players, diaries = append(players, p), append(diaries, d)
	}
	for _, p := range players {
		s.wait(func() bool { return p.Progress().PartsDone == parts-1 })
	}
	s.wait(func() bool { return len(source.Progress().BadParts) == 1 })
	if p := source.Progress(); p.PartsDone != parts-1 || p.Stored != parts-1 || p.Complete || p.BadParts[0] != bad {
		t.Errorf("the source: %+v", p)
	}
	s.wait(func() bool {
		return len(says.lines(`part 100 of .*content\.bin does not verify and is not shared`)) == 1
	})
	received := regexp.QuoteMeta("part 100 from " + source.Addr().String() + " does not verify")
	s.wait(func() bool {
		return slices.ContainsFunc(diaries, func(d *diary) bool { return len(d.lines(received)) > 0 })
	})
	for _, d := range diaries {
		if n := len(d.lines(`part.* from .*verify`)); n > 2 {
			t.Errorf("%d lines of one part", n)
		}
	}
	second := s.join(member.Config{Dir: filepath.Dir(good), Peers: peers})
	for _, p := range players {
		s.wantComplete(p)
	}
	end(t, append(players, source, second)...)
}

// Of many bad parts the user reads few lines, and everything that is good comes.
func TestManyBadPartsAtASource(t *testing.T) {
	const parts, partSize = 400, 16 << 10
	s := newScore(t, parts*partSize, partSize)
	source, says := s.noted(member.Config{Dir: s.dir})
	s.wantComplete(source)
	var bad []int
	for part := 0; part < parts; part += 2 {
		bad = append(bad, part)
	}
	change(t, filepath.Join(s.dir, s.file.Name), partSize, bad...)
	p, heard := s.noted(member.Config{Dir: t.TempDir(), Peers: []string{source.Addr().String()}})
	s.wait(func() bool { return p.Progress().PartsDone == parts-len(bad) })
	s.wait(func() bool { return slices.Equal(source.Progress().BadParts, bad) })
	end(t, p, source)
	for _, d := range []*diary{says, heard} {
		if n := len(d.lines("verify")); n < 1 || n > 4 {
			t.Errorf("%d lines of %d bad parts: %s", n, len(bad), d.lines("verify"))
		}
	}
}

// A source that may repair itself gets its bad part anew from whoever has it, and is complete
// again.
func TestBadPartIsRepairedAtItsSource(t *testing.T) {
	const parts, bad, partSize = 16, 7, 64 << 10
	s := newScore(t, parts*partSize, partSize)
	dir := t.TempDir()
	path := filepath.Join(dir, s.file.Name)
	if err := os.WriteFile(path, s.content, 0o666); err != nil {
		t.Fatal(err)
	}
	other := s.join(member.Config{Dir: s.dir})
	s.wantComplete(other)
	source, says := s.noted(member.Config{Dir: dir, Repair: true})
	s.wantComplete(source)
	change(t, path, partSize, bad)
	p := s.join(member.Config{Dir: t.TempDir(), Peers: []string{source.Addr().String()}})
	s.wait(func() bool { return p.Progress().PartsDone == parts-1 && source.Progress().PartsDone == parts-1 })
	third := s.join(member.Config{Dir: t.TempDir(), Peers: []string{other.Addr().String(), source.Addr().String(), p.Addr().String()}})
	s.wantComplete(third)
	s.wantComplete(p)
	s.wait(func() bool { return source.Progress().Complete })
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, s.content) {
		t.Error("the part was not repaired", err)
	}
	select {
	case <-source.done:
		t.Error("OnComplete was called again")
	default:
	}
	end(t, p, third, other, source)
	if n := len(says.lines("part 7 of .* does not verify and is fetched anew")); n != 1 {
		t.Errorf("%d lines tell of the part", n)
	}
}

// accuser is a peer that complains of parts, and hears what is withdrawn.
type accuser struct {
	t    *testing.T
	conn net.Conn
	in   *proto.Reader
	bad  uint8 // the id of orch_bad
}

const theirDontHave = 9

func (s *score) accuser(of *player) *accuser {
	s.t.Helper()
	conn, err := net.Dial("tcp", of.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	hello := proto.Handshake{Protocol: proto.BitTorrent, ID: s.file.ID(), PeerID: proto.PeerID{1, 2, 3}}
	hello.SetFast()
	hello.SetExtended()
	ext := proto.ExtHandshake{Messages: map[string]int{proto.ExtDontHave: theirDontHave}}
	if _, err := conn.Write(proto.Append(hello.Append(nil), proto.Extended{Payload: ext.Append(nil)})); err != nil {
		s.t.Fatal(err)
	}
	if _, err := proto.ReadHandshake(conn, proto.BitTorrent); err != nil {
		s.t.Fatal(err)
	}
	a := &accuser{s.t, conn, proto.NewReader(conn, proto.MaxFrame(s.file.NumParts()), 0), 0}
	ext, err = proto.ParseExtHandshake(a.next().(proto.Extended).Payload)
	if a.bad = uint8(ext.Messages[proto.ExtBad]); err != nil || a.bad == 0 || ext.Messages[proto.ExtDontHave] == 0 {
		s.t.Fatalf("it takes %v, %v", ext.Messages, err)
	}
	return a
}

// next reads a message; the content of a piece is left out.
func (a *accuser) next() proto.Message {
	a.t.Helper()
	msg, err := a.in.Next()
	if err != nil {
		a.t.Fatal(err)
	}
	if piece, ok := msg.(proto.Piece); ok {
		if _, err := io.CopyN(io.Discard, a.in, int64(piece.Length)); err != nil {
			a.t.Fatal(err)
		}
	}
	return msg
}

func (a *accuser) say(msg proto.Message) {
	a.t.Helper()
	if _, err := a.conn.Write(proto.Append(nil, msg)); err != nil {
		a.t.Fatal(err)
	}
}

// until reads on to a message that will do.
func (a *accuser) until(so func(proto.Message) bool) {
	a.t.Helper()
	for !so(a.next()) {
	}
}

// Who is accused looks at its disk again. What is right stays; what is bad is withdrawn, and no
// longer served, whatever the accuser asked for.
func TestAccusedLooksAgain(t *testing.T) {
	const parts, bad, partSize = 8, 5, 16 << 10
	s := newScore(t, parts*partSize, partSize)
	source := s.join(member.Config{Dir: s.dir})
	s.wantComplete(source)
	a := s.accuser(source)
	a.until(func(msg proto.Message) bool { _, ok := msg.(proto.HaveAll); return ok })
	a.say(proto.Interested{})
	a.until(func(msg proto.Message) bool { return msg == proto.Unchoke{} })
	change(t, source.Progress().Path, partSize, bad)
	for range 100 {
		for part := range uint32(parts) {
			a.say(proto.Extended{ID: a.bad, Payload: proto.AppendPart(nil, part)})
		}
	}
	gone := proto.AppendPart(nil, bad)
	a.until(func(msg proto.Message) bool {
		m, ok := msg.(proto.Extended)
		if ok && (m.ID != theirDontHave || !bytes.Equal(m.Payload, gone)) {
			t.Errorf("it says %v", m)
		}
		return ok
	})
	a.say(proto.Request{Part: bad, Length: partSize})
	a.until(func(msg proto.Message) bool { return msg == proto.Reject{Part: bad, Length: partSize} })
	a.say(proto.Request{Part: bad + 1, Length: partSize})
	a.until(func(msg proto.Message) bool { _, ok := msg.(proto.Piece); return ok })
	if got := source.Progress(); got.PartsDone != parts-1 || !slices.Equal(got.BadParts, []int{bad}) {
		t.Errorf("%+v", got)
	}
	end(t, source)
}

// A complaint that the conductor passes on does the same.
func TestAccusedThroughTheConductor(t *testing.T) {
	const parts, bad, partSize = 8, 5, 16 << 10
	s := newScore(t, parts*partSize, partSize)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	source := s.join(member.Config{Dir: s.dir, Conductors: []string{l.Addr().String()}})
	s.wantComplete(source)
	change(t, source.Progress().Path, partSize, bad)
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hello, err := proto.ReadHandshake(conn, proto.Orchestra)
	if err != nil {
		t.Fatal(err)
	}
	out := proto.Append(proto.Handshake{Protocol: proto.Orchestra, ID: hello.ID}.Append(nil), proto.Welcome{})
	for _, part := range []uint32{bad, 1, 1 << 31} {
		out = proto.Append(out, proto.Accused{Part: part})
	}
	if _, err := conn.Write(out); err != nil {
		t.Fatal(err)
	}
	s.wait(func() bool { return slices.Equal(source.Progress().BadParts, []int{bad}) })
	end(t, source)
}

// One complaint is enough to find a stretch that was written over.
func TestAccusedLooksBesideABadPart(t *testing.T) {
	const parts, partSize = 64, 16 << 10
	s := newScore(t, parts*partSize, partSize)
	source, says := s.noted(member.Config{Dir: s.dir})
	s.wantComplete(source)
	bad := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	change(t, source.Progress().Path, partSize, append(bad, 20)...)
	a := s.accuser(source)
	a.say(proto.Extended{ID: a.bad, Payload: proto.AppendPart(nil, 4)})
	s.wait(func() bool { return slices.Equal(source.Progress().BadParts, bad) })
	a.conn.Close()
	end(t, source)
	if n := len(says.lines(`10 parts \(0-9\) of .*content\.bin do not verify`)); n != 1 {
		t.Errorf("%d lines tell of them", n)
	}
}
