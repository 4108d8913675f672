package member

import (
	"net/netip"
	"time"

	"orchestra/member/link"
)

// Who else is connected to this member is told to peers that want to know (BEP 11), unless only
// trackers may tell (BEP 27).

const (
	introduceFirst = 5 * time.Second // after a link came up
	introduceEvery = 15 * time.Second
)

// introductions is when peers are told next.
type introductions struct{ at time.Time }

// met takes in that a link is up.
func (i *introductions) met(c *connection) {
	if c.terms.Peers > 0 && !c.m.closed {
		i.at = sooner(i.at, time.Now().Add(introduceFirst))
	}
}

// introduce tells the peers who else is connected, as far as it is time for each.
func (d *director) introduce(now time.Time) {
	if d.introductions.at.IsZero() || now.Before(d.introductions.at) {
		return
	}
	d.introductions.at = time.Time{}
	all := d.neighbours()
	for _, p := range d.links {
		if c, ok := p.(*connection); ok && c.introduce(all) {
			d.introductions.at = now.Add(introduceEvery)
		}
	}
}

// neighbours are where those can be dialled that are connected.
func (d *director) neighbours() []link.Neighbour {
	var all []link.Neighbour
	for _, p := range d.links {
		c, ok := p.(*connection)
		if !ok {
			continue
		}
		if at := c.place(); at.IsValid() {
			all = append(all, link.Neighbour{
				Addr: at, Dialled: c.dialled, Seed: d.core.HasAll(c.peer), Encrypts: c.encrypts(),
			})
		}
	}
	return all
}

// place is where the peer can be dialled; not valid: that is not known.
func (c *connection) place() netip.AddrPort {
	switch {
	case c.dialled:
		return c.addr
	case c.port > 0:
		return netip.AddrPortFrom(c.addr.Addr(), uint16(c.port))
	}
	return netip.AddrPort{}
}

// encrypts reports whether the peer takes encrypted links alone, as far as this member saw.
func (c *connection) encrypts() bool {
	if c.dialled && c.m.host.encryptedOnly.has(c.addr) {
		return true
	}
	return !c.conn.plain() && c.conn.key() == nil // it is sent as it is where both ends allow it
}

// introduce tells the peer of others, and reports whether it takes word of any.
func (c *connection) introduce(all []link.Neighbour) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.state.Introduces() {
		return false
	}
	at := c.place()
	if !at.IsValid() {
		at = c.addr
	}
	c.state.Introduce(c.m.now(), at, all)
	c.settle()
	return true
}
