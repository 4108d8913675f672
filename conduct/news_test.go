package conduct

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"orchestra/orch"
	"orchestra/proto"
)

// A flood of news is ten lines and a number.
func TestNewsAreBounded(t *testing.T) {
	var log bytes.Buffer
	n := newNews(zerolog.New(&log))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tell := func(what string) { n.tell(now, what, func(line *zerolog.Event) { line.Int("n", 1) }) }
	lines := func() []string { defer log.Reset(); return strings.Split(strings.TrimSpace(log.String()), "\n") }
	for range 1000 {
		tell("a")
	}
	tell("b")
	if got := lines(); len(got) != newsBurst+1 {
		t.Errorf("%d lines, want %d", len(got), newsBurst+1)
	}
	n.sum(now.Add(newsPeriod - 1))
	now = now.Add(newsPeriod)
	n.sum(now)
	if got, want := fmt.Sprint(lines()), `[{"level":"info","times":990,"message":"a, and others"}]`; got != want {
		t.Errorf("then %s, want %s", got, want)
	}
	tell("a")
	if got, want := fmt.Sprint(lines()), `[{"level":"info","n":1,"message":"a"}]`; got != want {
		t.Errorf("then %s, want %s", got, want)
	}
}

// Whoever runs a conductor sees which compositions gather there, when the first
// copy is complete, and who is refused.
func TestNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		wanted := func(want ...string) {
			t.Helper()
			synctest.Wait()
			got := strings.TrimSpace(log.String())
			log.Reset()
			if want := strings.Join(want, "\n"); got != want {
				t.Errorf("the log has\n%s\nwant\n%s", got, want)
			}
		}
		connect := piped(t, Config{
			Log:           zerolog.New(&log).Level(zerolog.InfoLevel),
			Allow:         func(id orch.ID) bool { return id == testID },
			MaxPerAddress: 1,
		})
		come := func(n int, id [20]byte, titles bool) *guest {
			nc := connect(n % 100) // two of them at one address
			nc.SetReadDeadline(time.Time{})
			hello := proto.Handshake{Protocol: proto.Orchestra, ID: id, PeerID: peerN(100 + n)}
			hello.SetNames()
			msgs := wire(
				proto.Announce{Key: [16]byte{byte(n)}, Parts: 10},
				proto.Named{Place: [8]byte{byte(n)}, Label: fmt.Sprint("lab-", n)},
			)
			if titles {
				hello.SetTitles()
				msgs = append(msgs, wire(proto.Titled{Title: "image.iso"})...)
			}
			go nc.Write(append(hello.Append(nil), msgs...))
			if _, err := proto.ReadHandshake(nc, proto.Orchestra); err != nil {
				t.Fatal(err)
			}
			return &guest{t: t, nc: nc, in: proto.NewConductorReader(nc)}
		}
		line := func(from int, id [20]byte, rest string) string {
			return fmt.Sprintf(
				`{"level":"info","from":"10.1.0.%d:40000","composition":"%x",%s}`, from, id, rest,
			)
		}
		a := come(1, testID, true)
		next[proto.Welcome](a)
		wanted(line(1, testID,
			`"name":"image.iso","member":"lab-1","message":"first member of a composition"`))
		b := come(2, testID, false)
		next[proto.Welcome](b)
		wanted("")
		b.send(proto.Progress{Have: 10})
		a.send(proto.Progress{Have: 10})
		wanted(line(2, testID,
			`"name":"image.iso","member":"lab-2","message":"first complete copy of a composition"`))
		next[proto.Refused](come(3, [20]byte{'o'}, false))
		wanted(line(3, [20]byte{'o'}, `"why":"`+refusedComposition+`","message":"refused"`))
		next[proto.Refused](come(101, testID, false))
		wanted(line(1, testID, `"why":"`+refusedAddress+`","message":"refused"`))
	})
}
