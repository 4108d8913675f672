package member

import (
	"slices"
	"time"

	"orchestra/member/swarm"
)

// lostParts tells that parts that were here are not: they do not verify any more, or cannot be
// read. Who found that has had the store forget them ([store.Store.Recheck]).
type lostParts struct {
	parts []uint32
	err   error // why they cannot be read; nil: they do not verify
}

// regainedParts tells that parts that were lost, and left as they are, verify again.
type regainedParts struct{ parts []uint32 }

// lost withdraws parts, and tells the user where they are and what becomes of them.
func (d *director) lost(ev lostParts) {
	now, bad := time.Now(), slices.Clone(d.bad)
	for _, part := range ev.parts {
		if !d.core.Has(part) {
			continue
		}
		keep := d.store.Keeps(part)
		d.step(swarm.Lost{Part: part, Keep: keep})
		if keep && d.wants(part) {
			bad = append(bad, int(part))
		}
		kind := "lost"
		if keep {
			kind = "kept"
		}
		if ev.err != nil {
			kind += ": " + ev.err.Error()
		}
		d.notices.add(now, kind, part, func(parts []int) { d.tellLost(parts, keep, ev.err) })
	}
	d.setBad(bad)
}

// withdrawn tells the user of a part that is missing here and that a peer no longer has.
func (d *director) withdrawn(ev swarm.Withdrawn) {
	if d.core.Has(ev.Part) || !d.wants(ev.Part) {
		return
	}
	if _, ok := d.links[ev.Peer].(*webSource); ok {
		return // it was said which files an origin lacks
	}
	from := d.links[ev.Peer].name()
	d.notices.add(time.Now(), "gone from "+from, ev.Part, func(parts []int) {
		d.cfg.Log.Warn().Msgf("%s, which %s missing here, %s gone at %s", these(parts),
			one(parts, "is", "are"), one(parts, "is", "are"), from)
	})
}

// absentMost is how many parts are named that nobody has. If they are more, the reader learns
// nothing.
const absentMost = 20

// nowhere names the last parts, for which a member waits in vain: whoever has the content
// elsewhere can see to them.
func (d *director) nowhere(w swarm.Waiting) {
	if w.Links == 0 || w.Nowhere == 0 {
		return
	}
	absent := d.core.Nowhere(absentMost)
	if slices.Equal(absent, d.absent) {
		return
	}
	d.absent = absent
	for _, part := range absent {
		d.notices.add(time.Now(), "nowhere", part, func(parts []int) {
			d.cfg.Log.Warn().Msgf("%s %s missing, and nobody connected has %s", these(parts),
				one(parts, "is", "are"), one(parts, "it", "them"))
		})
	}
}

// regained offers parts again that were lost.
func (d *director) regained(ev regainedParts) {
	d.setBad(slices.DeleteFunc(slices.Clone(d.bad), func(part int) bool {
		return slices.Contains(ev.parts, uint32(part))
	}))
	for _, part := range ev.parts {
		if d.core.Has(part) {
			continue
		}
		if d.step(swarm.Regained{Part: part}); !d.core.Has(part) {
			continue // it is on its way
		}
		d.notices.add(time.Now(), "regained", part, func(parts []int) {
			then := one(parts, "verifies again and is shared", "verify again and are shared")
			d.cfg.Log.Info().Msgf("%s of %s %s", these(parts), d.store.Where(parts), then)
		})
	}
}

// setBad notes which parts are bad and left as they are. Whoever reads of them reads as well that
// the content is not complete.
func (d *director) setBad(bad []int) {
	slices.Sort(bad)
	d.bad = slices.Compact(bad)
	missing := d.core.Stats().Missing > 0
	d.update(func(p *Progress) { p.BadParts, p.Complete = d.bad, p.Complete && !missing })
	if len(d.readers) > 0 {
		d.disappoint()
	}
}

// tellLost tells the user, in one line, of parts that are bad on disk.
func (d *director) tellLost(parts []int, keep bool, err error) {
	line := d.cfg.Log.Warn()
	what := one(parts, "does not verify", "do not verify")
	if err != nil {
		line = line.Err(err)
		what = "cannot be read"
	}
	then := one(parts, "and is fetched anew", "and are fetched anew")
	if keep {
		then = one(parts,
			"and is not shared; join --repair gets it anew",
			"and are not shared; join --repair gets them anew")
	}
	line.Msgf("%s of %s %s %s", these(parts), d.store.Where(parts), what, then)
}
