package conduct

import (
	"bytes"
	"cmp"
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
	about proto.About
	at    time.Time
	rows  []proto.Standing // furthest behind first, at most proto.MaxRows
}

// survey goes over all members, in time that grows with their number alone.
func (c *composition) survey(now time.Time) survey {
	if now.Sub(c.surveyed.at) < surveyEvery {
		return c.surveyed
	}
	c.retitle(now)
	s := survey{at: now, about: proto.About{ID: c.id, Title: c.title.text}}
	s.ID, s.Complete = c.id, uint32(len(c.copies))
	s.Known = s.Complete
	listed := c.latestRuns()
	var places [afterAll + 1]int // by rank: how many members, then where the next of them stands
	for _, e := range listed {
		places[e.rank()]++
		if e.guest {
			s.about.Clients++
			if e.complete() {
				s.about.Complete++
			}
			continue
		}
		s.about.Listed++
		if _, counted := c.copies[e.copyID()]; !counted {
			s.Known++
		}
		if !e.complete() {
			s.Pending++
			s.Left = max(s.Left, e.left(now))
		}
	}
	next := 0
	for i, n := range places {
		places[i] = next
		next += n
	}
	s.rows = make([]proto.Standing, min(len(listed), proto.MaxRows))
	for _, e := range listed {
		place := &places[e.rank()]
		if *place < len(s.rows) {
			s.rows[*place] = proto.Standing{Have: e.have, Parts: e.parts, Left: e.left(now), Addr: e.seat.from, Label: e.label}
		}
		*place++
	}
	c.surveyed = s
	return s
}

// latestRuns returns the entries without those that fill the same place as one
// that came later: a member that was started again fills the same copy, and the
// conductor may not have noticed yet that the run before has ended.
func (c *composition) latestRuns() []*entry {
	if c.earlier == 0 {
		return c.entries
	}
	latest := make(map[[8]byte]*entry)
	for _, e := range c.entries {
		if other := latest[e.place]; c.places[e.place] > 1 && (other == nil || other.link < e.link) {
			latest[e.place] = e
		}
	}
	return slices.DeleteFunc(slices.Clone(c.entries), func(e *entry) bool {
		return c.places[e.place] > 1 && latest[e.place] != e
	})
}

// place counts the place that a member names, if it does.
func (c *composition) place(e *entry) {
	if e.place == [8]byte{} {
		return
	}
	if c.places[e.place]++; c.places[e.place] > 1 {
		c.earlier++
	}
}

func (c *composition) unplace(e *entry) {
	if e.place == [8]byte{} {
		return
	}
	if c.places[e.place] > 1 {
		c.earlier--
	}
	lessen(c.places, e.place)
}

// The ranks of those that are not in the way.
const (
	complete = 1000
	afterAll = 1001 // guests, which strangers can list any number of
)

// rank is where an entry is listed: by the share of its parts that it has, in
// thousandths.
func (e *entry) rank() int {
	switch {
	case e.guest:
		return afterAll
	case e.complete():
		return complete
	}
	return int(uint64(e.have) * 1000 / uint64(e.parts))
}

// survey is how far the members of one composition are, or those of all that
// are known (proto.MaxStatuses at most) if the ID is zeros.
func (r *registry) survey(now time.Time, id [20]byte) []survey {
	if id == ([20]byte{}) {
		return r.surveyAll(now)
	}
	return []survey{r.surveyOne(now, id)}
}

// surveyOne is how far the members of one composition are.
func (r *registry) surveyOne(now time.Time, id [20]byte) survey {
	if c := r.comps[id]; c != nil {
		return c.survey(now)
	}
	s := survey{at: now, about: proto.About{ID: id}}
	s.ID = id
	if p := r.pastOf(now, id); p != nil {
		s = p.survey(now)
	}
	return s
}

func (p *past) survey(now time.Time) survey {
	s := survey{at: now, about: proto.About{ID: p.id, Title: p.title.text}}
	s.ID, s.Complete, s.Known = p.id, uint32(len(p.copies)), uint32(len(p.copies))
	return s
}

func (r *registry) surveyAll(now time.Time) []survey {
	if now.Sub(r.surveyedAll) < surveyEvery {
		return r.surveys
	}
	r.prunePast(now)
	all := make([]survey, 0, min(len(r.comps)+len(r.past), proto.MaxStatuses))
	// Those with the most members come first, so that no number of others, which
	// anybody can make up, takes their place.
	for _, c := range slices.SortedFunc(maps.Values(r.comps), func(a, b *composition) int {
		membersA, membersB := len(a.entries)-a.guests, len(b.entries)-b.guests
		return cmp.Or(cmp.Compare(membersB, membersA), bytes.Compare(a.id[:], b.id[:]))
	}) {
		if len(all) == cap(all) {
			break
		}
		all = append(all, c.survey(now))
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
		out = append(out, s.about, s.Status)
		for chunk := range slices.Chunk(rows, proto.MaxMembers) {
			out = append(out, proto.Standings{Members: chunk})
		}
	}
	return out
}
