package member_test

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"orchestra/conduct"
	"orchestra/internal/cli/switchboard"
	"orchestra/member"
)

// announcements counts the members that announced themselves, in a conductor's log.
type announcements struct{ atomic.Int64 }

func (a *announcements) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("member announced")) {
		a.Add(1)
	}
	return len(line), nil
}

// One conductor may have several addresses. A member that knows it by all of them is listed once,
// and its connections do not take each other's place without end; when the way by which it came is
// gone, it takes another.
func TestOneConductorAtTwoAddresses(t *testing.T) {
	count := new(announcements)
	c, err := conduct.New(conduct.Config{Listen: "127.0.0.1:0", Log: zerolog.New(count)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	ways := []*switchboard.Switchboard{switchboard.New(t), switchboard.New(t)}
	s := newScore(t, 1<<20, 64<<10)
	var addrs []string
	for _, way := range ways {
		way.Connect(c.Addr().String())
		addrs = append(addrs, way.Addr())
	}
	m := s.join(member.Config{Dir: s.dir, Conductors: addrs})
	s.wait(func() bool { return m.Progress().ConductorUp && count.Load() >= 2 })
	const while = 4 * time.Second // in which there would be several more
	for until := time.Now().Add(while); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if n := count.Load(); n > 3 {
			t.Fatalf("one member announced itself %d times", n)
		}
	}
	for range 2 {
		used := 0
		if strings.HasSuffix(m.Progress().Conductor, addrs[1]) {
			used = 1
		}
		ways[used].Connect("")
		s.wait(func() bool {
			p := m.Progress()
			return p.ConductorUp && strings.HasSuffix(p.Conductor, addrs[1-used])
		})
		ways[used].Connect(c.Addr().String())
	}
	if err := m.end(); err != nil {
		t.Error(err)
	}
}
