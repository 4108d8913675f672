package conduct

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"orchestra/conduct/page"
	"orchestra/proto"
)

// mostOnly is how many bits are looked at to find out who alone holds some parts.
const mostOnly = 8 << 20

// look returns what the page shows, with the details of some compositions. Their members report
// from now on, and those of all others no longer.
func (r *registry) look(now time.Time, ids []string, out []effect) (page.View, []effect) {
	wanted := make(map[[20]byte]bool, len(ids))
	for _, id := range ids {
		if raw, err := hex.DecodeString(id); err == nil && len(raw) == 20 {
			wanted[[20]byte(raw)] = true
		}
	}
	v := page.View{Details: make(map[string]*page.Detail)}
	r.prunePast(now)
	all := slices.SortedFunc(maps.Values(r.comps), func(a, b *composition) int {
		return cmp.Or(cmp.Compare(b.members(), a.members()), bytes.Compare(a.id[:], b.id[:]))
	})
	for _, c := range all {
		if !wanted[c.id] {
			out = r.watchOff(c, out)
		} else {
			out = r.watchOn(c, out)
			v.Details[hex.EncodeToString(c.id[:])] = c.detail(now)
		}
		if wanted[c.id] || len(v.List) < page.MaxListed {
			v.List = append(v.List, c.summary(now))
		}
	}
	for i := range r.past {
		p := &r.past[i]
		if wanted[p.id] || len(v.List) < page.MaxListed {
			v.List = append(v.List, p.summary())
		}
		if wanted[p.id] {
			d := &page.Detail{Members: p.scene.gone, Events: slices.Clone(p.scene.events)}
			d.Minutes, d.Hour = p.scene.history.Series(now)
			v.Details[hex.EncodeToString(p.id[:])] = d
		}
	}
	v.More = len(all) + len(r.past) - len(v.List)
	return v, out
}

// members counts those that are no guests.
func (c *composition) members() int { return len(c.entries) - c.guests }

func (s *scene) summary(id [20]byte, title string, copies int) page.Summary {
	return page.Summary{
		ID: hex.EncodeToString(id[:]), Title: title, Copies: copies,
		Size: int64(s.size), PartSize: int64(s.partSize), Gone: s.goneAll,
		Moved: int64(s.received), Sent: int64(s.sent), Origin: int64(s.origin),
		Join: page.JoinCommand(title),
	}
}

func (p *past) summary() page.Summary { return p.scene.summary(p.id, p.title.text, len(p.copies)) }

func (c *composition) summary(now time.Time) page.Summary {
	if now.Sub(c.title.at) >= surveyEvery {
		c.retitle(now)
	}
	s := c.scene.summary(c.id, c.title.text, len(c.copies))
	var slowest *entry
	for _, e := range c.latestRuns() {
		if e.guest {
			s.Clients++
			continue
		}
		s.Parts = max(s.Parts, int64(e.parts))
		s.Have += int64(e.have)
		s.Want += int64(e.parts)
		switch e.state(now) {
		case page.Complete:
			s.Complete++
			continue
		case page.Stalled:
			s.Stalled++
		default:
			s.Downloading++
		}
		s.Rate += int64(e.down.now(now, e.stale()))
		if slowest == nil || e.left(now) > slowest.left(now) || e.left(now) == slowest.left(now) && e.rank() < slowest.rank() {
			slowest = e
		}
	}
	if slowest != nil {
		s.Left, s.Slowest = secondsLeft(slowest.left(now)), slowest.called()
	}
	s.Spread = c.spread(s.Complete)
	return s
}

// secondsLeft is a time left as the page has it.
func secondsLeft(seconds uint32) int64 {
	if seconds == proto.LeftUnknown {
		return -1
	}
	return int64(seconds)
}

// spread is how many members hold the parts, if that is known.
func (c *composition) spread(complete int) page.Spread {
	holders := c.scene.holders
	s := page.Spread{Known: len(holders) > 0}
	if !s.Known {
		return s
	}
	least := holders[0]
	alone := make([]uint32, 0, 16) // parts that one member holds
	for part, n := range holders {
		least = min(least, n)
		switch n + uint32(complete) {
		case 0:
			s.None++
		case 1:
			alone = append(alone, uint32(part))
		}
	}
	s.Least, s.Single = int(least)+complete, len(alone)
	for _, e := range c.latestRuns() {
		if !e.guest && !e.complete() && e.bits == nil && e.have > 0 {
			s.Silent++
		}
	}
	if len(alone) == 0 || len(alone)*len(c.entries) > mostOnly {
		return s
	}
	for _, e := range c.latestRuns() {
		has := func(part uint32) bool { return e.bits != nil && e.bits[part>>3]&(0x80>>(part&7)) != 0 }
		if e.guest || !e.complete() && slices.ContainsFunc(alone, func(part uint32) bool { return !has(part) }) {
			continue
		}
		s.Only = e.called()
		break
	}
	return s
}

// called is what a member calls itself, or how the page calls it.
func (e *entry) called() string { return cmp.Or(e.label, e.seat.from.Addr().String()) }

// state is that of a member on the page.
func (e *entry) state(now time.Time) string {
	switch {
	case e.complete():
		return page.Complete
	case now.Sub(e.gained) > stallAfter:
		return page.Stalled
	}
	return page.Downloading
}

// row is a member in the table.
func (e *entry) row(now time.Time) page.Member {
	m := page.Member{ID: e.serial, Who: page.Who{
		Label: e.label, Addr: e.seat.from.String(),
		Version: cmp.Or(e.version, page.Program(e.peer)),
		Since:   e.since.Unix(), Origin: e.origin, Client: e.guest,
	}}
	if e.port != 0 {
		// Where others find it tells more than the port that it happens to call from.
		m.Who.Addr = e.main.host
	}
	m.Now = page.Now{
		State: e.state(now), Have: int64(e.have), Parts: int64(e.parts),
		Down: round3(e.down.now(now, e.stale())), Up: round3(e.up.now(now, e.stale())), Received: int64(e.received), Sent: int64(e.sent),
		Left: secondsLeft(e.left(now)), Seen: e.account.heard.Unix(), Errors: e.errors, Strip: e.strip,
	}
	if m.Now.State == page.Complete {
		m.Now.Down = 0
		return m
	}
	if m.Now.Why = e.why; m.Now.Why == "" && m.Now.State == page.Stalled {
		m.Now.Why = "nothing came for a while; it does not say why"
	}
	return m
}

// round3 leaves three digits of a rate: what nobody can read is not sent each second.
func round3(rate float64) int64 {
	n, step := int64(rate), int64(1)
	for n/step >= 1000 {
		step *= 10
	}
	return n / step * step
}

// detail is what is shown of a composition that somebody looks at.
func (c *composition) detail(now time.Time) *page.Detail {
	d := &page.Detail{Events: slices.Clone(c.scene.events)}
	entries := c.latestRuns()
	complete := 0
	for _, e := range entries {
		if e.complete() && !e.guest {
			complete++
		}
		if len(d.Members) >= page.MaxMembers {
			d.More++
			continue
		}
		d.Members = append(d.Members, e.row(now))
		for id, f := range e.from {
			if from := c.byPeer[id]; from != nil && from != e {
				d.Flows = append(d.Flows, page.Flow{
					From: from.serial, To: e.serial, Rate: round3(f.rate.now(now, 3*time.Duration(c.scene.every)*time.Second)), Total: int64(min(f.total, 1<<62)),
				})
			}
		}
	}
	d.Members = append(d.Members, c.scene.gone[:min(len(c.scene.gone), page.MaxMembers-len(d.Members))]...)
	slices.SortFunc(d.Flows, func(a, b page.Flow) int {
		return cmp.Or(cmp.Compare(b.Rate, a.Rate), cmp.Compare(b.Total, a.Total), cmp.Compare(a.To, b.To), cmp.Compare(a.From, b.From))
	})
	d.Flows = d.Flows[:min(len(d.Flows), page.MaxFlows)]
	d.Cells = page.CellsOf(c.scene.holders, complete)
	d.Minutes, d.Hour = c.scene.history.Series(now)
	return d
}
