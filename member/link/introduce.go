package link

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"orchestra/member/swarm"
	"orchestra/proto"
)

// Peers tell each other who else is connected to them (BEP 11): what changed, now and then.

const (
	// ExchangeEvery is how often a peer is told, at most.
	ExchangeEvery = time.Minute
	// mostTold is how many others a peer is told of at a time that are connected still.
	mostTold = 200
)

// A Neighbour is where somebody can be dialled that this member is connected to.
type Neighbour struct {
	Addr     netip.AddrPort
	Dialled  bool // this member dialled there
	Seed     bool // who is there has everything
	Encrypts bool // and takes encrypted connections alone
}

// flags are those of peer exchange.
func (n Neighbour) flags() (f byte) {
	if n.Dialled {
		f |= proto.PeerReachable
	}
	if n.Seed {
		f |= proto.PeerSeed
	}
	if n.Encrypts {
		f |= proto.PeerEncrypts
	}
	return f
}

// introductions is what the peer was told of others.
type introductions struct {
	introduced map[netip.AddrPort]bool
	tellAt     time.Duration // when it is told again, at the earliest
}

// Introduces reports whether the peer takes word of others.
func (l *Link) Introduces() bool { return l.cfg.Peers > 0 && !l.cfg.Closed }

// Introduce tells the peer, which can be dialled at an address, who is connected to this member, as
// far as that is news, if the last time is long enough ago. Of all, its own address is left out,
// and what [swarm.MayTell] forbids.
func (l *Link) Introduce(now time.Duration, peer netip.AddrPort, all []Neighbour) {
	if !l.Introduces() || now < l.tellAt {
		return
	}
	var p proto.PeerExchange
	here := make(map[netip.AddrPort]bool, len(all))
	for _, n := range all {
		if n.Addr == peer || !swarm.MayTell(peer.Addr(), n.Addr.Addr()) {
			continue
		}
		here[n.Addr] = true
		if l.introduced[n.Addr] || len(p.Added) == proto.MaxExchanged ||
			len(l.introduced)+len(p.Added) >= mostTold {
			continue
		}
		p.Added, p.Flags = append(p.Added, n.Addr), append(p.Flags, n.flags())
	}
	for _, a := range slices.SortedFunc(maps.Keys(l.introduced), netip.AddrPort.Compare) {
		if !here[a] && len(p.Dropped) < proto.MaxExchanged {
			p.Dropped = append(p.Dropped, a)
		}
	}
	if len(p.Added)+len(p.Dropped) == 0 {
		return
	}
	for _, a := range p.Dropped {
		delete(l.introduced, a)
	}
	for _, a := range p.Added {
		if l.introduced == nil {
			l.introduced = map[netip.AddrPort]bool{}
		}
		l.introduced[a] = true
	}
	l.tellAt = now + ExchangeEvery
	l.extend(l.cfg.Peers, p.Append(nil))
}

// hearPeers takes in whom the peer tells of. That more went than is remembered says nothing.
func (l *Link) hearPeers(payload []byte) error {
	if l.cfg.Closed {
		return nil
	}
	p, err := proto.ParsePeerExchange(payload)
	if err != nil || len(p.Added) == 0 {
		return err
	}
	hinted := swarm.Hinted{Peer: l.cfg.Peer, Addrs: p.Added, Seeds: make([]bool, len(p.Added))}
	for i, flags := range p.Flags {
		hinted.Seeds[i] = flags&proto.PeerSeed != 0
	}
	l.tell(hinted)
	return nil
}
