package conduct

import (
	"fmt"
	"maps"
	"net/netip"
)

// recount counts anew whatever the registry keeps count of, holds that to its
// bounds, and says what differs.
func (r *registry) recount() error {
	entries, linked, bits := 0, 0, 0
	sources, networks := make(map[netip.Addr]int), make(map[netip.Addr]int)
	guests := newGuests()
	copies, copiesFrom := 0, make(map[netip.Addr]int)
	for id, c := range r.comps {
		if len(c.entries) == 0 || len(c.entries) != len(c.byPeer) || c.id != id {
			return fmt.Errorf("composition %x has %d entries, %d by peer", id, len(c.entries), len(c.byPeer))
		}
		of, earlier := 0, 0
		places, named := make(map[[8]byte]int), make(map[namedAddr]int)
		for i, e := range c.entries {
			entries++
			src, net := source(e.seat.from.Addr()), network(e.seat.from.Addr())
			sources[src]++
			bits += len(e.bits)
			if e.gone || e.pos != i || c.byPeer[e.peer] != e || r.expiry[e.expiryPos] != e {
				return fmt.Errorf("entry %v is not where it says", e.peer)
			}
			if e.guest != (e.link == 0) {
				return fmt.Errorf("entry %v is a guest: %v, and has link %d", e.peer, e.guest, e.link)
			}
			if e.guest {
				if r.guests.list[e.guestPos] != e {
					return fmt.Errorf("guest %v is not where it says", e.peer)
				}
				of++
				guests.sources[src]++
				guests.networks[net]++
			} else {
				linked++
				networks[net]++
				if r.links[e.link] != e {
					return fmt.Errorf("link %d does not lead to its entry", e.link)
				}
			}
			if e.place != [8]byte{} {
				if places[e.place]++; places[e.place] > 1 {
					earlier++
				}
			}
			for _, a := range e.own {
				named[namedAddr{src, a}]++
			}
			if len(e.told) > r.lim.maxTold() || len(e.toldTo) > r.lim.maxToldTo() || e.pushes > r.lim.peers {
				return fmt.Errorf("entry %v remembers %d told, %d told to, %d pushes", e.peer, len(e.told), len(e.toldTo), e.pushes)
			}
		}
		if of != c.guests || of > r.lim.guestsOfOne() {
			return fmt.Errorf("%d guests in a composition, counted as %d, of %d", of, c.guests, r.lim.guestsOfOne())
		}
		if earlier != c.earlier || !maps.Equal(places, c.places) || !maps.Equal(named, c.named) {
			return fmt.Errorf("places %v, %d of them earlier, addresses %v, counted as %v, %d, %v",
				places, earlier, named, c.places, c.earlier, c.named)
		}
		for _, n := range named {
			if n > namedBy {
				return fmt.Errorf("an address goes out for %d members", n)
			}
		}
		copies += len(c.copies)
		for _, src := range c.copies {
			copiesFrom[src]++
		}
		bits += 4 * len(c.scene.holders)
	}
	for _, p := range r.past {
		copies += len(p.copies)
		for _, src := range p.copies {
			copiesFrom[src]++
		}
	}
	if err := r.recountRetries(); err != nil {
		return err
	}
	dials, to := 0, make(map[string]int)
	for _, w := range r.running {
		if w.guest {
			dials++
		}
		to[targetOf(w.host)]++
	}
	for host, t := range r.targets.by {
		if t.dialling != to[host] || t.dialling > dialsOfTarget || len(t.waiting) > 0 && t.dialling == 0 {
			return fmt.Errorf("%s is dialled %d times, counted as %d, and %d wait", host, to[host], t.dialling, len(t.waiting))
		}
	}
	for src, n := range guests.sources {
		if n > r.lim.guestsOfSource() {
			return fmt.Errorf("%d guests from %v, at most %d are listed", n, src, r.lim.guestsOfSource())
		}
	}
	switch {
	case entries != len(r.expiry) || entries > r.lim.members || linked != len(r.links):
		return fmt.Errorf("%d entries, %d in expiry, %d linked of %d links", entries, len(r.expiry), linked, len(r.links))
	case !maps.Equal(sources, r.sources) || !maps.Equal(networks, r.networks):
		return fmt.Errorf("%v by source and %v by network, counted as %v and %v", sources, networks, r.sources, r.networks)
	case entries-linked != len(r.guests.list) || entries-linked > r.lim.guests(),
		!maps.Equal(guests.sources, r.guests.sources) || !maps.Equal(guests.networks, r.guests.networks):
		return fmt.Errorf("%d guests by source %v and network %v, counted as %d, %v and %v",
			entries-linked, guests.sources, guests.networks, len(r.guests.list), r.guests.sources, r.guests.networks)
	case copies != r.copies || copies > r.lim.maxCopies() || !maps.Equal(copiesFrom, r.copiesFrom):
		return fmt.Errorf("%d copies from %v, counted as %d from %v", copies, copiesFrom, r.copies, r.copiesFrom)
	case dials != r.guestDials || dials > r.lim.guestDials() || len(r.running) > r.lim.dials:
		return fmt.Errorf("%d dial backs, %d of guests, counted as %d", len(r.running), dials, r.guestDials)
	case len(r.running) < r.lim.dials && len(r.line) > 0:
		return fmt.Errorf("%d dial backs of members wait while %d run", len(r.line), len(r.running))
	case bits != r.maps || bits > maxMaps:
		return fmt.Errorf("%d bytes of maps, counted as %d", bits, r.maps)
	}
	return nil
}

// recountRetries holds that the guests to be dialled again are those that were not reached and that
// no dial back waits or runs for, in order of their time.
func (r *registry) recountRetries() error {
	wanted := 0
	for _, e := range r.expiry {
		c := &e.main
		if !e.guest || !c.isToRetry(e.lookedFor) {
			continue
		}
		wanted++
		if e.retryPos == 0 || r.retries[e.retryPos-1] != e || !e.retryAt.Equal(c.again) {
			return fmt.Errorf("guest %v is to be dialled again at %v, and is listed as %d for %v",
				e.peer, c.again, e.retryPos, e.retryAt)
		}
	}
	if wanted != len(r.retries) {
		return fmt.Errorf("%d guests are to be dialled again, and %d are listed", wanted, len(r.retries))
	}
	for i, e := range r.retries {
		if i > 0 && e.retryAt.Before(r.retries[(i-1)/2].retryAt) {
			return fmt.Errorf("guest %v comes before who is to be dialled again sooner", e.peer)
		}
	}
	return nil
}
