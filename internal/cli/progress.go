package cli

import (
	"fmt"
	"time"

	"orchestra/member"
)

// A view is what is shown of a running member: its snapshot, and the rate and the time left that are computed here.
type view struct {
	member.Progress
	meter *meter
}

// percent is rounded down: 100 means all.
func (v *view) percent() int {
	if v.Complete || v.Bytes == 0 {
		return 100
	}
	return min(int(float64(v.BytesDone)/float64(v.Bytes)*100), 99)
}

// pace is the rate for people, or why there is none.
func (v *view) pace() string {
	switch {
	case v.Complete:
		return "sharing"
	case v.Checking && v.Downloaded == 0:
		return "checking"
	case v.meter.stalled():
		return "stalled"
	}
	return bytesText(int64(v.meter.rate())) + "/s"
}

// eta is the time left for people; empty if it is unknown.
func (v *view) eta() string {
	left, ok := v.meter.left(v.Bytes - v.BytesDone)
	if !ok || v.Complete || v.Checking {
		return ""
	}
	return "ETA " + timeText(left)
}

// company is how many members are connected, and whether the conductor is not.
func (v *view) company() string {
	text := counted(v.Members, "member")
	if !v.ConductorUp {
		text += ", no conductor"
	}
	return text
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// line is the view in one plain line.
func (v *view) line() string {
	text := fmt.Sprintf("%d of %d parts (%d %%), %s of %s, %s", v.PartsDone, v.Parts, v.percent(),
		bytesText(v.BytesDone), bytesText(v.Bytes), v.pace())
	if eta := v.eta(); eta != "" {
		text += ", " + eta
	}
	if v.Complete {
		text += ", " + bytesText(v.Uploaded) + " sent"
	}
	return text + ", " + v.company()
}

// A plainSchedule decides when a plain line is due: each 30 s, and each 10 %.
type plainSchedule struct {
	said    time.Time
	percent int
}

const (
	plainEvery   = 30 * time.Second
	plainPercent = 10
)

// due reports whether a line is due at now. The first call only starts the schedule.
func (s *plainSchedule) due(now time.Time, percent int) bool {
	if s.said.IsZero() {
		s.said, s.percent = now, percent
		return false
	}
	if now.Sub(s.said) < plainEvery && percent/plainPercent <= s.percent/plainPercent {
		return false
	}
	s.said, s.percent = now, percent
	return true
}
