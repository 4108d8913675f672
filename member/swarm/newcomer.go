package swarm

import (
	"net/netip"
	"slices"
)

// A part can be told to be bad only when all of it is here. Until then a newcomer, who has sent
// nothing good yet, may be anybody. So all newcomers at one host together are asked for one part
// and for newcomerMore bytes, which come while that one is verified, and for more when a part that
// they had a hand in is good. It delays nobody who is honest: a path carries little more at first.
//
// This is so only where somebody at another host has sent what is good, and counts only what may
// come from there.
const newcomerMore = 1 << 20

// room is how many more runs a peer may be asked for; menuMost: as many as there is a use for.
func (t *trust) room(p *peer) int {
	if !p.newcomer() {
		return menuMost
	}
	host := hostOf(p.addr.Addr())
	if !t.provenElsewhere(host) {
		return menuMost
	}
	run := min(RunSize, t.s.partSize)
	return int((t.s.partSize + newcomerMore - t.unknown(host) + run - 1) / run)
}

// newcomer reports whether a peer has sent nothing good yet, as far as is known.
func (p *peer) newcomer() bool { return p.good == 0 && !p.origin }

// provenElsewhere reports whether somebody at another host has sent what is good.
func (t *trust) provenElsewhere(host netip.Addr) bool {
	return slices.ContainsFunc(t.s.links.list, func(p *peer) bool {
		return !p.newcomer() && !p.choked && hostOf(p.addr.Addr()) != host && t.s.plan.mayAsk(p)
	})
}

// unknown is how many bytes newcomers at a host were asked for or have sent of which it is not
// known whether they are good.
func (t *trust) unknown(host netip.Addr) (bytes int64) {
	for _, p := range t.s.links.list {
		if !p.newcomer() || hostOf(p.addr.Addr()) != host {
			continue
		}
		for _, f := range p.fetches {
			bytes += int64(t.s.runOf(f.work, f.n).Length)
		}
	}
	for _, w := range t.s.requests.works {
		for n, r := range w.runs {
			if r.here && r.trial && hostOf(r.from.addr.Addr()) == host && t.provenHas(w.part) {
				bytes += int64(t.s.runOf(w, n).Length)
			}
		}
	}
	return bytes
}
