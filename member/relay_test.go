package member

import (
	"bytes"
	"io"
	"testing"

	"orchestra/member/store"
	"orchestra/member/swarm"
	"orchestra/proto"
)

// relayPair is a link of a member that has nothing of the content yet and was asked for all of its
// first part, and a reader of what it sends.
func relayPair(t *testing.T, content []byte) (*connection, *proto.Reader) {
	t.Helper()
	l, far := pair(t, content, Config{})
	empty, err := store.Open(store.Config{File: l.m.comp, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { empty.Close() })
	l.m.store = empty
	l.m.intake = l.m.newIntake()
	core := swarm.New(swarm.Config{Size: l.m.comp.Size, PartSize: l.m.comp.PartSize})
	l.do(swarm.SetChoke{}, core)
	if events, err := l.hear(proto.Request{Length: uint32(len(content))}); len(events) > 0 || err != nil {
		t.Fatal(events, err)
	}
	l.do(swarm.Grant{Parts: []uint32{0}}, core)
	l.m.intake.Follow(0, l.wake)
	return l, proto.NewReader(far, proto.MaxFrame(1), readAhead)
}

// TestRelay grants a part that comes in bit by bit: what came goes out, before the part is whole,
// and nothing else.
func TestRelay(t *testing.T) {
	content := randomBytes(1 << 20)
	l, in := relayPair(t, content)
	ended := make(chan error, 1)
	go func() { ended <- l.writeLoop(t.Context()) }()
	go l.m.intake.Work(t.Context())
	l.m.intake.Pace(64<<10, 0)
	run := l.m.intake.Begin(0, swarm.Run{Length: uint32(len(content))})
	var got []byte
	for from := 0; from < len(content); {
		to := min(from+100_000, len(content))
		if err := run.Read(t.Context(), bytes.NewReader(content[from:to]), int64(from), to-from); err != nil {
			t.Fatal(err)
		}
		if to == len(content) {
			if err := run.End(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for len(got) < to {
			msg, err := in.Next()
			if msg == (proto.Unchoke{}) {
				continue
			}
			piece, ok := msg.(proto.Piece)
			if err != nil || !ok || int(piece.Begin) != len(got) || int(piece.End()) > to {
				t.Fatalf("after %d of %d bytes: %+v %v", len(got), to, msg, err)
			}
			data, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, data...)
		}
		from = to
	}
	if !bytes.Equal(got, content) {
		t.Error("something else came")
	}
	l.close(io.EOF)
	<-ended
}
