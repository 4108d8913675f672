package member_test

import (
	"os"
	"testing"
	"time"

	"orchestra/conduct"
	"orchestra/member"
	"orchestra/member/store"
)

// TestManyComeBack holds how soon a process with 1,000 compositions is there again whose content it
// has read before, and that it reads none of it.
func TestManyComeBack(t *testing.T) {
	all := 1000
	if os.Getenv("ORCHESTRA_TEST_LARGE") == "" {
		all = 30
	}
	c, _ := startConduct(t, conduct.Config{})
	dir := t.TempDir()
	files := composeMany(t, dir, c.Addr().String(), all, 4<<20)
	records := store.OpenRecords(t.TempDir())
	for _, again := range []bool{false, true} {
		from, begun := cpu(), time.Now()
		h, end := startHost(t, member.HostConfig{})
		var members []*member.Member
		for _, f := range files {
			m, err := h.Join(t.Context(), member.Config{File: f, Dir: dir, Records: records})
			if err != nil {
				t.Fatal(err)
			}
			members = append(members, m)
		}
		until(t, "all are complete and listed", func() bool {
			for _, m := range members {
				if p := m.Progress(); !p.Complete || !p.ConductorUp {
					return false
				}
			}
			return true
		})
		took := time.Since(begun)
		t.Logf("again %v: %d compositions of 4 MiB are there after %v, with %v of CPU", again, all, took, cpu()-from)
		for _, m := range members {
			if p := m.Progress(); again != (p.Resumed == p.Parts) {
				t.Errorf("again %v: %d of %d parts are resumed", again, p.Resumed, p.Parts)
			}
		}
		if again && took > 5*time.Second {
			t.Errorf("they are there after %v", took)
		}
		end()
	}
}
