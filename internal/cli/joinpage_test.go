package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orchestra/conduct/page"
	"orchestra/member"
)

// A web server has a row of its own: it has everything, and why it is left alone is said there.
func TestOriginsRow(t *testing.T) {
	began := time.Unix(1000, 0)
	j := &joinPage{began: began, peers: map[[20]byte]*peerSeen{}}
	o := member.Origin{ID: [20]byte{1}, Name: "example.org"}
	j.origin(began, &o, 10)
	o.Received = 4 << 20
	o.Trouble, o.Again = "answers 403 Forbidden", began.Add(31*time.Second)
	now := began.Add(time.Second)
	row, seen := j.origin(now, &o, 10)
	want := page.Member{
		ID: 1, Who: page.Who{Label: "example.org", Since: 1000, Web: true},
		Now: page.Now{
			State: page.Stalled, Have: 10, Parts: 10, Up: 2 << 20, Sent: 4 << 20, Seen: 1001,
			Why: "the web server example.org answers 403 Forbidden; it is asked again in 30s",
		},
	}
	if diff := cmp.Diff(want, row); diff != "" || seen.from != 2<<20 {
		t.Errorf("%v: %s", seen.from, diff)
	}
	if row, _ := j.origin(began.Add(time.Minute), &o, 10); row.Now.State != page.Complete || row.Now.Why != "" {
		t.Errorf("when it may be asked again it is %+v", row.Now)
	}
}
