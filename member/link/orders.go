package link

import (
	"maps"
	"slices"

	"orchestra/proto"
)

// orders is what the peer asks of this member: it waits until the core grants its part, then goes
// out.
type orders struct {
	choking bool
	waiting map[uint32][]order // by part
	count   int                // orders that wait, granted or not
	// Of granted parts, the end of each grant marked. They go out from the front, but for those of
	// which nothing is here yet.
	ready []order
}

// order is one request; what was sent of it is cut off.
type order struct {
	part, begin, length uint32
	from                uint32 // where the request begins
	bulk                bool   // larger than one piece message may be
	relay               bool   // granted before the part was here: it goes out as it comes
}

// endOfGrant stands behind the last order of a grant.
var endOfGrant = order{}

func (o order) isEnd() bool { return o.length == 0 }

func (o order) begun() bool { return o.begin > o.from }

func orderOf(r proto.Request) order {
	return order{
		part: r.Part, begin: r.Begin, length: r.Length, from: r.Begin,
		bulk: r.Length > proto.MaxBlock,
	}
}

// order takes a request in, and tells whether the core is to hear of its part. A request that may
// not wait is rejected.
func (l *Link) order(r proto.Request) bool {
	if l.count >= Reqq || l.choking && !l.favoured(r) {
		l.refuse(orderOf(r))
		return false
	}
	l.count++
	l.wait(orderOf(r))
	return len(l.waiting[r.Part]) == 1
}

func (l *Link) wait(o order) {
	if l.waiting == nil {
		l.waiting = map[uint32][]order{}
	}
	l.waiting[o.part] = append(l.waiting[o.part], o)
}

// refuse tells the peer that what is left of a request will not come.
func (l *Link) refuse(o order) {
	if l.cfg.Fast {
		l.Say(proto.Reject{Part: o.part, Begin: o.begin, Length: o.length})
	}
}

// refuseAll rejects what was asked of the parts and waits for a grant, or for the part to come.
func (l *Link) refuseAll(parts []uint32) {
	for _, part := range parts {
		l.refusePart(part, func(o order) bool { return o.relay })
	}
}

// refusePart rejects what was asked of a part: what waits for a grant, and some of what was
// granted.
func (l *Link) refusePart(part uint32, granted func(order) bool) {
	for _, o := range l.waiting[part] {
		l.refuse(o)
		l.count--
	}
	delete(l.waiting, part)
	l.ready = slices.DeleteFunc(l.ready, func(o order) bool {
		if o.isEnd() || o.part != part || !granted(o) {
			return false
		}
		l.refuse(o)
		l.count--
		return true
	})
}

// grant lets what was asked of the parts go out, of those that are not here yet what there is of
// them.
func (l *Link) grant(parts []uint32, here func(part uint32) bool) {
	for _, part := range parts {
		relay := !here(part)
		for _, o := range l.waiting[part] {
			o.relay = relay
			l.ready = append(l.ready, o)
		}
		delete(l.waiting, part)
	}
	l.ready = append(l.ready, endOfGrant)
}

// revoke lets what was granted and not sent wait for another grant. The piece that is on its way
// goes on.
func (l *Link) revoke() {
	for _, o := range l.ready {
		if !o.isEnd() {
			o.relay = false
			l.wait(o)
		}
	}
	l.ready = nil
}

// cancelled takes a request back, and tells the part if nothing more of it waits for a grant. A
// request that is being answered is answered in full if the cancel is for all of it: who sent that
// did not know, and what went out would be thrown away.
func (l *Link) cancelled(c proto.Cancel) (uint32, bool) {
	same := func(o order) bool {
		return !o.isEnd() && o.part == c.Part && int64(o.begin)+int64(o.length) == c.End() &&
			c.Begin >= o.from
	}
	if i := slices.IndexFunc(l.ready, same); i >= 0 {
		if o := l.ready[i]; o.begun() && c.Begin == o.from {
			return 0, false
		}
		l.refuse(l.ready[i])
		l.ready = slices.Delete(l.ready, i, i+1)
		l.count--
		return 0, false
	}
	list := l.waiting[c.Part]
	i := slices.IndexFunc(list, same)
	if i < 0 || list[i].begun() && c.Begin == list[i].from {
		return 0, false
	}
	l.refuse(list[i])
	l.count--
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		l.waiting[c.Part] = list
		return 0, false
	}
	delete(l.waiting, c.Part)
	return c.Part, true
}

// setChoke tells the peer whether it is served; what it asked for is dropped when it no longer is.
func (l *Link) setChoke(on bool) {
	l.choking = on
	if !on {
		l.Say(proto.Unchoke{})
		return
	}
	l.Say(proto.Choke{})
	ends := l.ready[:0]
	for _, o := range l.ready {
		if o.isEnd() {
			ends = append(ends, o)
		} else {
			l.refuse(o)
		}
	}
	for _, part := range slices.Sorted(maps.Keys(l.waiting)) {
		for _, o := range l.waiting[part] {
			l.refuse(o)
		}
	}
	l.ready, l.waiting, l.count = ends, nil, 0
}
