package cli

import (
	"fmt"
	"time"

	"orchestra/conduct"
)

const (
	statusSoon  = 2 * time.Second  // between two lines that say that more are complete
	statusAgain = 30 * time.Second // between two lines while others get it
)

// A saidStatus is what was said last of a composition that is shared.
type saidStatus struct {
	at                       time.Time
	complete, known, pending int
	lost                     int // parts
	json                     string
}

// show shows who has how much: one line that is drawn over on a terminal, elsewhere a line when
// somebody comes, is complete or goes, or an object with --json.
func (s *sharing) show(now time.Time) error {
	var sent int64
	for _, one := range s.all {
		sent += one.member.Progress().Uploaded
	}
	s.up.observe(now, sent)
	p := s.program
	if p.common.json {
		for _, one := range s.all {
			if err := s.showJSON(one); err != nil {
				return err
			}
		}
	}
	mode := s.options.join.progress
	switch {
	case p.terminal.isQuiet(), mode == "none":
	case mode != "plain" && p.terminal.canDraw():
		p.terminal.draw(func(width int) string { return elided(harmless(s.line()), width) })
	default:
		for _, one := range s.all {
			if lost := len(one.member.Progress().BadParts); one.said.due(now, &one.status, lost) {
				p.terminal.note("%s: %s", one.file.Name, one.text())
			}
		}
	}
	return nil
}

func (s *sharing) showJSON(one *shared) error {
	is := fmt.Sprint(untimed(&one.status))
	if is == one.said.json {
		return nil
	}
	one.said.json = is
	return s.program.terminal.aside(func() error {
		return writeJSON(s.program.stdout, shareStatus{"status", statusJSON(&one.status)})
	})
}

// line is all that is shared in one line.
func (s *sharing) line() string {
	text := ""
	if len(s.all) == 1 {
		text = s.all[0].file.Name + ": " + s.all[0].text()
	} else {
		sum := s.sum()
		text = fmt.Sprintf("%d shared: %s", len(s.all), statusText(&sum))
	}
	if s.up.rate() > 0 {
		text += "; up " + rateText(&s.up)
	}
	return text
}

// sum is all that is shared as if it were one; slowest is whoever needs the longest, or has the
// least.
func (s *sharing) sum() conduct.Status {
	var sum conduct.Status
	for _, one := range s.all {
		is := &one.status
		sum.Complete += is.Complete
		sum.Known += is.Known
		sum.Pending += is.Pending
		sum.Clients += is.Clients
		sum.ClientsComplete += is.ClientsComplete
		if is.Pending == 0 || len(is.Members) == 0 {
			continue
		}
		if is.Left > sum.Left {
			sum.Left = is.Left
		}
		slowest := is.Members[:1]
		if len(sum.Members) == 0 || standingPercent(&slowest[0]) < standingPercent(&sum.Members[0]) {
			sum.Members = slowest
		}
	}
	return sum
}

// text is who has how much of it, and what there is to be said of that.
func (one *shared) text() string {
	progress := one.member.Progress()
	is := &one.status
	checking := ""
	if progress.Checking {
		v := view{Progress: progress}
		checking = fmt.Sprintf("checking, %d %%; ", v.percent())
	}
	alone := is.Known <= 1 && is.Complete == is.Known && is.Clients == 0
	switch lost := len(progress.BadParts); {
	case lost > 0 && alone:
		return checking + lostText(lost, progress.Parts) + "; nobody else has joined yet"
	case lost > 0:
		return checking + lostText(lost, progress.Parts) + "; " + statusText(is)
	case alone && is.Known == 0:
		return checking + "nobody else has joined yet"
	case alone:
		return checking + "complete here; nobody else has joined yet"
	case is.Complete == 1 && progress.Complete:
		return checking + "only here, do not end it yet: " + statusText(is)
	}
	return checking + statusText(is)
}

// due reports whether a line is due at now for a status, with so many parts lost here: soon when
// it is another, and from time to time while somebody gets the content.
func (s *saidStatus) due(now time.Time, is *conduct.Status, lost int) bool {
	changed := is.Complete != s.complete || is.Known != s.known || is.Pending != s.pending ||
		lost != s.lost
	since := now.Sub(s.at)
	if !(changed && since >= statusSoon || is.Pending > 0 && since >= statusAgain) {
		return false
	}
	s.at, s.complete, s.known, s.pending = now, is.Complete, is.Known, is.Pending
	s.lost = lost
	return true
}

// lostText says that the content is not whole any more, and what to do.
func lostText(lost, parts int) string {
	return fmt.Sprintf("no longer whole here: %s of %s are gone or changed; "+
		"put back what was there, or share it again", grouped(int64(lost)), counted(parts, "part"))
}
