package swarm

import "slices"

// grantBytes is how much one grant lets a link send at least, if so much is asked for: with small
// parts, several of them.
const grantBytes = 256 << 10

// interest serves every peer that wants something: whose turn it is is decided grant by grant.
func (gs *grants) interest(ev Interest) {
	p := gs.s.links.peer(ev.Peer)
	if p == nil {
		return
	}
	p.interested = ev.On
	if ev.On {
		gs.unchoke(p)
	}
}

// unchoke lets a peer ask for what it wants.
func (gs *grants) unchoke(p *peer) {
	if p.choking {
		p.choking = false
		gs.s.emit(SetChoke{p.index, false})
	}
}

// greet tells a new peer what it may expect from this member.
func (gs *grants) greet(p *peer) {
	if p.foreign() {
		return
	}
	if gs.s.plan.servesUnasked(p) {
		gs.unchoke(p)
	}
	if gs.idling.told {
		gs.s.emit(SetSpare{p.index, true})
	}
}

func (gs *grants) wanted(ev Wanted) {
	p := gs.s.links.peer(ev.Peer)
	if p == nil {
		return
	}
	var refused []uint32
	for _, part := range ev.Parts {
		switch {
		case gs.s.Has(part):
			gs.want(p, part)
		case gs.s.plan.passesOn(p, part):
			p.awaits = append(p.awaits, part)
			if gs.s.plan.flows(part) {
				gs.flowsOn(part)
			}
		default:
			refused = append(refused, part)
		}
	}
	if len(refused) > 0 {
		gs.s.emit(Refuse{p.index, refused})
	}
}

// want makes a part one that the peer may be granted.
func (gs *grants) want(p *peer, part uint32) {
	if len(p.wants) == 0 {
		p.asked = gs.s.now
	}
	if !slices.Contains(p.wants, part) {
		p.wants = append(p.wants, part)
	}
	gs.asking.of(p)
	if !p.takes.over(gs.s.now) {
		gs.care.of(p)
	}
}

func (gs *grants) unwanted(ev Unwanted) {
	if p := gs.s.links.peer(ev.Peer); p != nil {
		gs.unwant(p, ev.Part)
		takeOut(&p.awaits, ev.Part)
	}
}

func (gs *grants) unwant(p *peer, part uint32) { takeOut(&p.wants, part) }

// takeOut takes a part out of a list, once, and tells whether it was there.
func takeOut(list *[]uint32, part uint32) bool {
	i := slices.Index(*list, part)
	if i < 0 {
		return false
	}
	*list = slices.Delete(*list, i, i+1)
	return true
}

func (gs *grants) servedPeer(ev Served) {
	p := gs.s.links.peer(ev.Peer)
	if p == nil || ev.Grant >= len(p.grants) {
		return
	}
	g := p.grants[ev.Grant]
	gs.takesOn(p)
	gs.s.lines.wentUp(g.bytes)
	p.slow = gs.s.now >= g.begun+gs.grantTime(g)
	p.grants = slices.Delete(p.grants, ev.Grant, ev.Grant+1)
	if ev.Grant == 0 && len(p.grants) > 0 {
		p.grants[0].begun = gs.s.now
	}
	gs.holdSlots(p)
	if p.takes.onTrial() {
		p.takes = backoff{}
		gs.s.links.remembered.note(gs.s.now, p)
	}
	gs.s.plan.served()
}

// serve hands grants out while there are slots.
func (gs *grants) serve() {
	for most := gs.s.plan.slots(); gs.active < most; {
		p := gs.s.plan.next()
		if p == nil {
			p = gs.idlest()
		}
		if p == nil {
			gs.s.lines.upRests()
			return
		}
		gs.grant(p)
	}
}

func (gs *grants) grant(p *peer) {
	var parts []uint32
	n := int64(0)
	for n < grantBytes && len(p.wants) > 0 {
		i := gs.rarestWant(p)
		part := p.wants[i]
		p.wants = slices.Delete(p.wants, i, i+1)
		parts = append(parts, part)
		if !gs.s.Has(part) {
			p.relayed = append(p.relayed, part)
		}
		n += gs.s.partLen(part)
		if gs.given[part] < 1<<16-1 {
			gs.given[part]++
		}
	}
	gs.hereFirst(parts)
	gs.served++
	p.asked = gs.s.now
	if len(p.grants) == 0 {
		gs.takesOn(p)
	}
	if p.takes.onTrial() {
		gs.onTrial = p
	}
	p.grants = append(p.grants, grant{n, parts, gs.s.now})
	gs.care.of(p)
	p.lastGrant = gs.served
	gs.holdSlots(p)
	gs.s.emit(Grant{p.index, parts})
}

// hereFirst orders parts that are granted together: what is passed on while it comes, and may come
// slowly, does not keep what is here.
func (gs *grants) hereFirst(parts []uint32) {
	comes := func(part uint32) int {
		if gs.s.Has(part) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(parts, func(a, b uint32) int { return comes(a) - comes(b) })
}

// flowsOn lets those who await a part have it now: its first bytes came.
func (gs *grants) flowsOn(part uint32) {
	for _, p := range gs.s.links.list {
		if takeOut(&p.awaits, part) {
			gs.want(p, part)
		}
	}
}

// arrive makes a part that others asked for while it was on its way one like others.
func (gs *grants) arrive(part uint32) {
	gs.flowsOn(part)
	for _, p := range gs.s.links.list {
		n := len(p.relayed)
		p.relayed = slices.DeleteFunc(p.relayed, func(r uint32) bool { return r == part })
		if len(p.relayed) < n {
			gs.takesOn(p) // what it is sent is here only now
		}
	}
}

// breakOff rejects what peers asked of a part that does not come now.
func (gs *grants) breakOff(part uint32) {
	for _, p := range gs.s.links.list {
		n := len(p.awaits) + len(p.wants) + len(p.relayed)
		for _, list := range []*[]uint32{&p.awaits, &p.wants, &p.relayed} {
			*list = slices.DeleteFunc(*list, func(r uint32) bool { return r == part })
		}
		if len(p.awaits)+len(p.wants)+len(p.relayed) < n {
			gs.s.emit(Refuse{p.index, []uint32{part}})
		}
	}
}

// breakRelays rejects all that peers but one asked of parts that are not here, except what they
// were granted, so that they ask others.
func (gs *grants) breakRelays(not *peer) {
	for _, p := range gs.s.links.list {
		if p == not {
			continue
		}
		refused := p.awaits
		p.awaits = nil
		p.wants = slices.DeleteFunc(p.wants, func(part uint32) bool {
			if !gs.s.Has(part) {
				refused = append(refused, part)
			}
			return !gs.s.Has(part)
		})
		if len(refused) > 0 {
			gs.s.emit(Refuse{p.index, refused})
		}
	}
}
