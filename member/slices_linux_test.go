package member

import (
	"io"
	"testing"
	"time"

	"orchestra/proto"
)

// What a limit lets pass goes out when it is written. Over a loopback interface, whose packets are
// large, some of it would wait in the socket for 200 ms each time if the socket took no more before
// it has sent what it keeps for a full packet.
//
// A machine that is busy sends slowly now and then, and such a socket each time.
func TestSlicesDoNotWaitInTheSocket(t *testing.T) {
	for range 3 {
		took, pieces := sendSlices(t)
		if took <= time.Duration(pieces)*60*time.Millisecond {
			return
		}
		t.Logf("%d pieces took %v, under a limit that lets them pass in 0.4 s", pieces, took)
	}
	t.Error("pieces wait in the socket")
}

// sendSlices sends 4 MiB in slices, and returns how long that took, and how many they were.
func sendSlices(t *testing.T) (took time.Duration, count int) {
	t.Helper()
	const limit = 10 << 20
	size := portion(limiter(limit)) // no multiple of a page
	content := randomBytes(4 << 20)
	l, far := pair(t, content, Config{UploadLimit: limit})
	l.m.unchained.Store(true)
	l.tune()
	var pieces []proto.Piece
	total := int64(0)
	for part := range uint32(4) {
		for at := 0; at < 1<<20; at += size {
			pieces = append(pieces, proto.Piece{Part: part, Begin: uint32(at), Length: min(size, 1<<20-at)})
			total += 13 + int64(min(size, 1<<20-at))
		}
	}
	got := make(chan error, 1)
	go func() {
		_, err := io.CopyN(io.Discard, far, total)
		got <- err
	}()
	begun := time.Now()
	for _, p := range pieces {
		if err := l.sendPieces(t.Context(), []proto.Piece{p}); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	return time.Since(begun), len(pieces)
}
