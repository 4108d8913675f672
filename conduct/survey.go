package conduct

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"orchestra/proto"
)

// surveyEvery is how long a survey is good for: however many ask, a composition
// is gone over twice a second at most.
const surveyEvery = 500 * time.Millisecond

// A survey is how far the members of a composition were at some time. Its rows
// are never changed, so that others than the loop may read them.
type survey struct {
	proto.Status
	at   time.Time
	rows []proto.Standing // furthest behind first, at most proto.MaxRows
}

// survey goes over all members, in time that grows with their number alone.
func (c *composition) survey(now time.Time) survey {
	if now.Sub(c.surveyed.at) < surveyEvery {
		return c.surveyed
	}
	s := survey{at: now}
	s.ID, s.Complete = c.id, uint32(len(c.copies))
	s.Known = s.Complete
	var places [1001]int // by thousandths: how many members, then where the next of them stands
	for _, e := range c.entries {
		if _, counted := c.copies[e.copyID()]; !counted {
			s.Known++
		}
		if !e.complete() {
			s.Pending++
			s.Left = max(s.Left, e.left(now))
		}
		places[e.thousandths()]++
	}
	next := 0
	for i, n := range places {
		places[i] = next
		next += n
	}
	s.rows = make([]proto.Standing, min(len(c.entries), proto.MaxRows))
	for _, e := range c.entries {
		place := &places[e.thousandths()]
		if *place < len(s.rows) {
			s.rows[*place] = proto.Standing{Have: e.have, Parts: e.parts, Left: e.left(now), Addr: e.seat.from, Label: e.label}
		}
		*place++
	}
	c.surveyed = s
	return s
}

// thousandths is the share of its parts that a member has; 1,000 means all.
func (e *entry) thousandths() int {
	if e.complete() {
		return 1000
	}
	return int(uint64(e.have) * 1000 / uint64(e.parts))
}

// survey is how far the members of one composition are, or those of all that
// are known (proto.MaxStatuses at most) if the ID is zeros.
func (r *registry) survey(now time.Time, id [20]byte) []survey {
	if id == ([20]byte{}) {
		return r.surveyAll(now)
	}
	if c := r.comps[id]; c != nil {
		return []survey{c.survey(now)}
	}
	s := survey{at: now}
	s.ID = id
	if p := r.pastOf(now, id); p != nil {
		s = p.survey(now)
	}
	return []survey{s}
}

func (p *past) survey(now time.Time) survey {
	s := survey{at: now}
	s.ID, s.Complete, s.Known = p.id, uint32(len(p.copies)), uint32(len(p.copies))
	return s
}

func (r *registry) surveyAll(now time.Time) []survey {
	if now.Sub(r.surveyedAll) < surveyEvery {
		return r.surveys
	}
	r.prunePast(now)
	all := make([]survey, 0, min(len(r.comps)+len(r.past), proto.MaxStatuses))
	for _, id := range slices.SortedFunc(maps.Keys(r.comps), func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) }) {
		if len(all) == cap(all) {
			break
		}
		all = append(all, r.comps[id].survey(now))
	}
	for i := range r.past {
		if len(all) == cap(all) {
			break
		}
		all = append(all, r.past[i].survey(now))
	}
	r.surveys, r.surveyedAll = all, now
	return all
}

// tellSurveys is the messages that answer an ask for so many members of each.
func tellSurveys(surveys []survey, members int) []proto.Message {
	if len(surveys) == 0 {
		return []proto.Message{proto.Status{}}
	}
	if len(surveys) > 1 {
		members = min(members, 1)
	}
	var out []proto.Message
	for i, s := range surveys {
		rows := s.rows[:min(len(s.rows), members)]
		s.Further, s.Rows = uint16(len(surveys)-1-i), uint16(len(rows))
		out = append(out, s.Status)
		for chunk := range slices.Chunk(rows, proto.MaxMembers) {
			out = append(out, proto.Standings{Members: chunk})
		}
	}
	return out
}
