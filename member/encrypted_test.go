package member_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orchestra/member"
	"orchestra/proto"
	"orchestra/proto/mse"
	"orchestra/proto/mse/msetest"
)

// A border is a way to a member that takes nobody without an encrypted handshake, as BitTorrent
// clients do that are set to, or one on which whoever comes is given one.
type border struct {
	listener net.Listener
	to       string
	id       [20]byte
	takes    mse.Method

	opens           bool // encrypted connections to the member, where its side is plain
	plain, answered atomic.Int32
	short           sync.Once // is the secret of the first encrypted connection
	work            sync.WaitGroup
}

func (s *score) border(to *player, takes mse.Method, opens bool) *border {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	b := &border{
		listener: listener, to: to.Addr().String(), id: s.file.ID(), takes: takes, opens: opens,
	}
	b.work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b.work.Go(func() {
				defer conn.Close()
				if b.opens {
					b.open(conn)
				} else {
					b.answer(conn)
				}
			})
		}
	})
	return b
}

func (b *border) end() {
	b.listener.Close()
	b.work.Wait()
}

func (b *border) dial() net.Conn {
	conn, err := net.DialTimeout("tcp", b.to, patience)
	if err != nil {
		return nil
	}
	return conn
}

// answer answers an encrypted handshake and nothing else, the second one that is begun, and leads
// on to the member without one.
func (b *border) answer(conn net.Conn) {
	first := make([]byte, 20)
	if _, err := io.ReadFull(conn, first); err != nil {
		return
	}
	if string(first) == "\x13"+proto.BitTorrent {
		b.plain.Add(1)
		return
	}
	again := struct {
		io.Reader
		io.Writer
	}{io.MultiReader(strings.NewReader(string(first)), conn), conn}
	short := false
	b.short.Do(func() { short = true })
	if short {
		if err := msetest.AnswerShort(again); err == nil {
			_, _ = io.Copy(io.Discard, conn) // until it is given up
		}
		return
	}
	agreed, err := mse.Answer(again, b.takes, func([20]byte) ([20]byte, bool) { return b.id, true })
	if err != nil || agreed.Method != b.takes {
		return
	}
	b.answered.Add(1)
	to := b.dial()
	if to == nil {
		return
	}
	if _, err := to.Write(agreed.Initial); err != nil {
		to.Close()
		return
	}
	between(conn, to, agreed)
}

// open leads a plain connection on in an encrypted one to the member, of which the handshake says
// more than what came at first: a keep-alive.
func (b *border) open(conn net.Conn) {
	initial := make([]byte, 68+4)
	if _, err := io.ReadFull(conn, initial[:68]); err != nil {
		return
	}
	to := b.dial()
	if to == nil {
		return
	}
	agreed, err := mse.Open(to, b.id, b.takes, initial)
	if err != nil {
		to.Close()
		return
	}
	b.answered.Add(1)
	between(to, conn, agreed)
}

// between moves what is said between an encrypted connection and a plain one until one ends.
func between(hidden, plain net.Conn, agreed *mse.Agreed) {
	var way sync.WaitGroup
	move := func(w io.Writer, r io.Reader) {
		_, _ = io.Copy(w, r) // until one ends
		hidden.Close()
		plain.Close()
	}
	way.Go(func() { move(plain, agreed.Reader(hidden)) })
	move(agreed.Writer(hidden), plain)
	way.Wait()
}

// A member gets the content from who takes encrypted connections only, and gives it to who opens
// them, under the cipher or plain after the handshake.
func TestEncryptedLinks(t *testing.T) {
	for _, method := range []mse.Method{mse.RC4, mse.Plain} {
		for name, opens := range map[string]bool{"dialled": false, "answered": true} {
			t.Run(name+" "+method.String(), func(t *testing.T) {
				s := newScore(t, 2<<20+1, 256<<10)
				first := s.join(member.Config{Dir: s.dir})
				s.wantComplete(first)
				b := s.border(first, method, opens)
				p := s.join(member.Config{Dir: t.TempDir(), Peers: []string{b.listener.Addr().String()}})
				s.wantComplete(p)
				if b.answered.Load() == 0 {
					t.Error("it came another way")
				}
				if !opens && b.plain.Load() != 1 {
					t.Errorf("%d plain connections before, want 1", b.plain.Load())
				}
				for _, p := range []*player{p, first} {
					if err := p.end(); err != nil {
						t.Error(err)
					}
				}
				b.end()
			})
		}
	}
}

// Who means another composition in an encrypted handshake, or does not go on with one, is told
// nothing of what is here.
func TestEncryptedStrangers(t *testing.T) {
	s := newScore(t, 1<<20, 64<<10)
	p := s.join(member.Config{Dir: s.dir})
	s.wantComplete(p)
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", p.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		return conn
	}
	hello := proto.Handshake{Protocol: proto.BitTorrent, ID: [20]byte{1}}.Append(nil)

	conn := dial()
	if _, err := mse.Open(conn, [20]byte{1}, mse.RC4, hello); err == nil {
		t.Error("content that is not here is known")
	}
	conn.Close()

	// One composition in the encrypted handshake, another in the one within.
	conn = dial()
	agreed, err := mse.Open(conn, s.file.ID(), mse.RC4, hello)
	if err != nil {
		t.Fatal(err)
	}
	if said, _ := io.ReadAll(agreed.Reader(conn)); len(said) > 0 {
		t.Errorf("it says %d bytes to who means two compositions", len(said))
	}
	conn.Close()

	// A key and no end of a pad; the read ends when the member has had enough.
	conn = dial()
	noise := strings.Repeat("\xf0\x0d", 1000)
	if _, err := io.WriteString(conn, noise); err != nil {
		t.Fatal(err)
	}
	if said, _ := io.ReadAll(conn); len(said) < 96 || len(said) > 96+512 {
		t.Errorf("it answers noise with %d bytes, want a key and a pad", len(said))
	}
	conn.Close()
	if err := p.end(); err != nil {
		t.Error(err)
	}
}
