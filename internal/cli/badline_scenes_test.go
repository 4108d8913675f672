package cli

import (
	"testing"
	"time"

	"orchestra/internal/cli/switchboard"
)

// The only way to the only source is a bad line.
func TestBadLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		do   func(line *switchboard.Switchboard)
	}{
		{"all connections are reset again and again", func(line *switchboard.Switchboard) {
			for range 4 {
				time.Sleep(1500 * time.Millisecond)
				line.Reset()
			}
		}},
		{"nothing passes for a while", func(line *switchboard.Switchboard) {
			line.Hold()
			time.Sleep(8 * time.Second)
			line.Release()
		}},
		{"it is long", func(line *switchboard.Switchboard) { line.Delay(150 * time.Millisecond) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &scene{t: t, dir: t.TempDir(), content: randomBytes(4 << 20)}
			s.put("original")
			s.compose("64K", "127.0.0.1:1") // where nobody listens
			source := s.start(orchestra(t, "join", "--json", "--listen", "127.0.0.1:0",
				"--dir", s.dir+"/original", "--upload-limit", "512K", s.orch))
			e := source.until("the start", func(e sceneEvent) bool { return e.Event == "start" })
			source.untilComplete()
			line := switchboard.New(t)
			line.Connect(e.Address)
			member := s.join("member", "--peer", line.Addr())
			member.untilParts(4)
			tt.do(line)
			stall, says, ok := member.longestStall(time.Now())
			t.Logf("the longest stall is %v; it says %q", stall, says)
			if !ok || stall > stallMost {
				t.Errorf("complete: %v; the longest stall is %v", ok, stall)
			}
			s.wantCopy("member")
		})
	}
}
