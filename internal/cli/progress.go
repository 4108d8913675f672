package cli

import (
	"fmt"
	"strconv"
	"time"

	"orchestra/member"
)

// A view is what is shown of a running member: its snapshot, and the rates and the time left that
// are computed here.
type view struct {
	member.Progress
	down, up *meter
	web      *meter // of what comes from web servers; nil: there are none
}

// percent is rounded down: 100 means all.
func (v *view) percent() int {
	if v.Complete || v.Bytes == 0 {
		return 100
	}
	return min(int(float64(v.BytesDone)/float64(v.Bytes)*100), 99)
}

// settled reports whether nothing is to come any more: all is there, or what is not is bad and
// stays so.
func (v *view) settled() bool {
	return v.Complete || !v.Checking && len(v.BadParts) > 0 && v.PartsDone+len(v.BadParts) >= v.Parts
}

// waits is one word for a member to which nothing comes although something is missing; empty if
// that is not so. Why it is, Waiting says.
func (v *view) waits() string {
	switch {
	case v.settled(), v.Checking:
		return ""
	case v.Paused != "":
		return "paused"
	case v.down.stalled():
		return "stalled"
	case v.Downloaded == 0 && v.Waiting != "":
		return "waiting"
	}
	return ""
}

// pace is the rate for people, or what is done instead.
func (v *view) pace() string {
	switch {
	case v.settled():
		return "sharing"
	case v.Checking && (v.Downloaded == 0 || v.down.stalled()):
		return "checking"
	case v.waits() != "":
		return v.waits()
	}
	return rateText(v.down)
}

func rateText(m *meter) string { return figureText(m.rate()) + "/s" }

// eta is the time left for people; empty if it is unknown.
func (v *view) eta() string {
	left, ok := v.down.left(v.Bytes - v.BytesDone)
	if !ok || v.settled() || v.Checking || v.Paused != "" {
		return ""
	}
	return "ETA " + timeText(left)
}

// others is how many of the other members have everything, as far as that is known; the first
// number is as wide as the second, if it is to be steady.
func (v *view) others(steady bool) string {
	known, width := max(v.Known, v.Members), 0
	if known == 0 {
		return "no members"
	}
	if steady {
		width = len(strconv.Itoa(known))
	}
	return fmt.Sprintf("%*d of %d complete", width, v.KnownComplete, known)
}

// connected is how many members are connected; empty if none is known.
func (v *view) connected() string {
	if v.Members == 0 && v.Known == 0 {
		return ""
	}
	return fmt.Sprintf("%d connected", v.Members)
}

// conductor says that none is connected, if there is one to connect to; empty otherwise.
func (v *view) conductor() string {
	if v.ConductorUp || v.Conductor == "" {
		return ""
	}
	return "no conductor"
}

// line is the view in one plain line.
func (v *view) line() string {
	text := fmt.Sprintf("%d of %s (%d %%), %s of %s", v.PartsDone, counted(v.Parts, "part"),
		v.percent(), bytesText(v.BytesDone), bytesText(v.Bytes))
	add := func(field string) {
		if field != "" {
			text += ", " + field
		}
	}
	waits := v.waits()
	if waits == "" {
		add(v.pace())
	}
	add(v.eta())
	add(v.fromWeb())
	if v.up.rate() > 0 {
		add("up " + rateText(v.up))
	}
	if v.settled() || v.Uploaded > 0 {
		add(bytesText(v.Uploaded) + " sent")
	}
	add(v.others(false))
	add(v.connected())
	add(v.conductor())
	if waits != "" {
		return text + "; " + waits + because(v.Waiting)
	}
	if trouble := v.webTrouble(time.Now()); trouble != "" {
		text += "; " + brief(trouble)
	}
	return text
}

// mostWords is how long, in columns, a text may be in which there may be words of others.
const mostWords = 300

// because puts a reason behind what it is for, if there is one.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + brief(reason)
}

// brief is a text in which there may be words of others, made harmless and not too long.
func brief(text string) string { return elided(harmless(text), mostWords) }

// A plainSchedule decides when a plain line is due: each 30 s and each 10 % while something is
// missing, and each 5 minutes in which something was sent when nothing is.
type plainSchedule struct {
	said    time.Time
	percent int
	sent    int64
	waits   bool
}

const (
	plainEvery   = 30 * time.Second
	plainPercent = 10
	sharingEvery = 5 * time.Minute
)

// due reports whether a line is due at now. The first call only starts the schedule.
func (s *plainSchedule) due(now time.Time, v *view) bool {
	percent, span, waits := v.percent(), now.Sub(s.said), v.waits() != ""
	switch {
	case s.said.IsZero():
		s.said, s.percent, s.sent = now, percent, v.Uploaded
		return false
	case v.settled():
		if span < sharingEvery || v.Uploaded == s.sent {
			return false
		}
	case waits && !s.waits:
	case span < plainEvery && percent/plainPercent <= s.percent/plainPercent:
		return false
	}
	s.said, s.percent, s.sent, s.waits = now, percent, v.Uploaded, waits
	return true
}
