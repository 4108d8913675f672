package swarm

import (
	"net/netip"
	"time"

	"orchestra/proto"
)

// Where members are said to be is hearsay: anybody may claim, under as many names as he likes, to
// be found at the address of somebody who has nothing to do with it. So what is dialled in vain is
// remembered by address, and by host, whoever is said to be there, and dialled less and less often.
// A host may be a whole site behind one address, so the first dials there are free, and one that
// leads to a member makes the others so again. Whoever answered at an address is dialled there
// whatever is said of others.

// target is an address, or a host, that was dialled.
type target struct {
	tries int // since a dial led to a member
	until time.Duration
	seen  time.Duration
	is    proto.PeerID // who answered there last; zero: nobody did
}

const (
	targetFirst = redialFirst / 2 // as soon as one that is alone there is dialled again
	targetMost  = 30 * time.Second
	// hostFree is how many dials in vain a host has before they are put off.
	hostFree  = 16
	hostFirst = time.Second
	hostMost  = time.Minute

	targetAge   = 10 * time.Minute
	targetsMost = 2000 // that are remembered
)

// targets is what is remembered of where was dialled.
type targets struct {
	addrs map[netip.AddrPort]target
	hosts map[netip.Addr]target
}

// when is the time from which on an address may be dialled to find somebody; hurry: somebody has to
// be found soon, so that nothing is put off for longer than redialHurry.
func (ts *targets) when(addr netip.AddrPort, id proto.PeerID, hurry bool) time.Duration {
	t := ts.addrs[addr]
	if t.is != (proto.PeerID{}) && t.is == id {
		return 0
	}
	return max(t.after(hurry), ts.hosts[hostOf(addr.Addr())].after(hurry))
}

func (t target) after(hurry bool) time.Duration {
	if hurry {
		return min(t.until, t.seen+redialHurry)
	}
	return t.until
}

// dialled takes in that addresses are dialled.
func (ts *targets) dialled(now time.Duration, addrs []netip.AddrPort) {
	if ts.addrs == nil {
		ts.addrs, ts.hosts = map[netip.AddrPort]target{}, map[netip.Addr]target{}
	}
	for _, a := range addrs {
		t := ts.addrs[a]
		t.tried(now, 0, targetFirst, targetMost)
		remember(ts.addrs, a, t)
		host := hostOf(a.Addr())
		h := ts.hosts[host]
		h.tried(now, hostFree, hostFirst, hostMost)
		remember(ts.hosts, host, h)
	}
}

// tried counts a dial, and puts the next one off if there were more than are free.
func (t *target) tried(now time.Duration, free int, first, most time.Duration) {
	if now-t.seen > targetAge {
		*t = target{}
	}
	t.seen = now
	if t.tries++; t.tries > free {
		t.until = max(t.until, now+min(first<<min(t.tries-free-1, 10), most))
	}
}

// reached takes in that who is sought answers at an address.
func (ts *targets) reached(now time.Duration, addr netip.AddrPort, id proto.PeerID) {
	if t, ok := ts.addrs[addr]; ok {
		ts.addrs[addr] = target{until: t.until, seen: now, is: id}
	}
	delete(ts.hosts, hostOf(addr.Addr()))
}

// answers takes in that it is somebody else who answers at an address.
func (ts *targets) answers(addr netip.AddrPort, id proto.PeerID) {
	if t, ok := ts.addrs[addr]; ok {
		t.is = id
		ts.addrs[addr] = t
	}
}

// excuse takes dials back that this process could not make.
func (ts *targets) excuse(now time.Duration, addrs []netip.AddrPort) {
	for _, a := range addrs {
		if t, ok := ts.addrs[a]; ok {
			t.tries, t.until = max(t.tries-1, 0), now
			ts.addrs[a] = t
		}
		host := hostOf(a.Addr())
		if t, ok := ts.hosts[host]; ok {
			t.tries = max(t.tries-1, 0)
			ts.hosts[host] = t
		}
	}
}

// ease lets targets be dialled as soon as in a hurry, once.
func (ts *targets) ease(now time.Duration) {
	for a, t := range ts.addrs {
		t.until = max(min(t.until, t.seen+redialHurry), now)
		ts.addrs[a] = t
	}
	for h, t := range ts.hosts {
		t.until = max(min(t.until, t.seen+redialHurry), now)
		ts.hosts[h] = t
	}
}

// remember keeps what is known of a target. Where there are too many, one goes that is not put off
// any more, or any.
func remember[K comparable](known map[K]target, at K, t target) {
	if _, ok := known[at]; !ok && len(known) >= targetsMost {
		for k, old := range known {
			if len(known) >= targetsMost && t.seen >= old.until {
				delete(known, k)
			}
		}
		for k := range known {
			if len(known) >= targetsMost {
				delete(known, k)
			}
		}
	}
	known[at] = t
}

// open lists the addresses at which a member may be dialled now, and tells when there is one. The
// user knows where those are whom he named.
func (b *book) open(now time.Duration, m *member) (addrs []netip.AddrPort, at time.Duration) {
	if m.name != "" || len(b.targets.addrs) == 0 {
		return m.addrs, 0
	}
	at = never
	for _, a := range m.addrs {
		if m.id == (proto.PeerID{}) && b.own.has(a) {
			continue
		}
		when := b.targets.when(a, m.id, b.hurry)
		if at = min(at, when); when <= now {
			addrs = append(addrs, a)
		}
	}
	return addrs, at
}
