package cli

import (
	"fmt"
	"time"
)

const (
	downAfter  = 3 * time.Second // without a conductor
	downAgain  = 5 * time.Minute // between two lines that say so
	aloneAgain = 5 * time.Minute
	stallAgain = 30 * time.Second // between two reasons
)

// troubles are what the user of a join should know of, in a line when it begins, and again when it
// lasts. The zero value is ready.
type troubles struct {
	down, alone trouble
	reason      string // of the stall, when it was said last
	reasonAt    time.Time
}

// news are the lines that are due at now.
func (t *troubles) news(now time.Time, v *view) []string {
	var lines []string
	// Which conductor it is comes with the first word of it.
	down := t.down.look(now, !v.ConductorUp && v.Conductor != "", downAfter, downAgain)
	switch {
	case down == began:
		lines = append(lines, fmt.Sprintf("warning: %s; %s known; trying again",
			brief(v.Conductor), counted(v.Known, "member")))
	case down == over && v.ConductorUp:
		lines = append(lines, brief(v.Conductor)+" answers now")
	}
	// The member says so when it is sure of it.
	if t.alone.look(now, v.Unreachable, 0, aloneAgain) == began {
		lines = append(lines, "warning: nobody can reach you, and "+unreachable(v.Known)+
			"; is a firewall in the way? --listen and --advertise set the address")
	}
	return lines
}

// unreachable says that none of the members known can be reached.
func unreachable(known int) string {
	if known == 1 {
		return "the 1 member known cannot be reached"
	}
	return fmt.Sprintf("none of the %s known can be reached", counted(known, "member"))
}

// stall is a line that says why nothing comes, when that begins or when the reason is another one;
// empty if it is not due at now.
func (t *troubles) stall(now time.Time, v *view) string {
	if v.waits() != "stalled" {
		t.reason = ""
		return ""
	}
	soon := t.reason != "" && now.Sub(t.reasonAt) < stallAgain
	if v.Waiting == "" || v.Waiting == t.reason || soon {
		return ""
	}
	t.reason, t.reasonAt = v.Waiting, now
	return "stalled" + because(v.Waiting)
}

// A trouble is a state that is told of when it has lasted for a while.
type trouble struct {
	since time.Time // the last time when it was not so
	said  time.Time // zero: it was not said since then
}

// What is to be said of a trouble.
const (
	nothing = iota
	began   // or lasts
	over
)

// look takes in at now whether it is so.
func (t *trouble) look(now time.Time, so bool, after, again time.Duration) int {
	if !so || t.since.IsZero() {
		told := !so && !t.said.IsZero()
		t.since = now
		if told {
			t.said = time.Time{}
			return over
		}
		return nothing
	}
	if now.Sub(t.since) < after || !t.said.IsZero() && now.Sub(t.said) < again {
		return nothing
	}
	t.said = now
	return began
}
