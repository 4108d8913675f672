package member

import (
	"io"
	"testing"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// The loop waits for no link whose reader waits for the rest of a piece, and whose writer for leave
// to send the rest of another.
func TestLoopDoesNotWaitForALink(t *testing.T) {
	content := randomBytes(1 << 20)
	l, far := pair(t, content, Config{UploadLimit: 1000})
	core := swarm.New(swarm.Config{Size: 1 << 20, PartSize: 1 << 20, Have: []byte{0x80}})
	ended := make(chan error, 1)
	go func() { ended <- l.run(t.Context()) }()
	hears := func(want string) {
		t.Helper()
		for {
			switch (<-l.m.inbox).(type) {
			case swarm.Wanted:
				if want == "a request" {
					return
				}
			case swarm.Started:
				if want == "a piece" {
					return
				}
			}
		}
	}
	run := swarm.Run{Length: 1 << 20}
	l.do(swarm.Fetch{Run: run}, core)
	l.do(swarm.SetChoke{}, core)
	in := proto.NewReader(far, proto.MaxFrame(1), readAhead)
	for msg, err := in.Next(); msg != (proto.Unchoke{}); msg, err = in.Next() {
		if err != nil {
			t.Fatal(err)
		}
	}
	far.Write(proto.Append(nil, proto.Request(run)))
	hears("a request")
	far.Write(append(proto.Append(nil, proto.Piece{Length: 100_000}), content[:10]...))
	hears("a piece")
	l.do(swarm.Grant{Parts: []uint32{0}}, core)
	if msg, err := in.Next(); err != nil {
		t.Fatal(msg, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			l.do(swarm.Suggest{Parts: []uint32{0}}, core)
		}
		l.do(swarm.Revoke{}, core)
		l.do(swarm.Cancel{Run: run}, core)
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it waits")
	}
	l.close(io.EOF)
	if err := <-ended; err != io.EOF {
		t.Errorf("the link ended with %v", err)
	}
}
