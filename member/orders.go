package member

import (
	"slices"

	"orchestra/proto"
)

// orders is what the peer asks of this member: it waits until the core grants its part, then goes to the writer. Guarded by the link's
// mu.
type orders struct {
	choking bool
	waiting map[uint32][]order // by part
	count   int                // orders that wait, granted or not
	granted []uint32           // parts, in the order in which they are sent
	ready   []order            // of granted parts; the writer takes from the front
	grants  int                // Grants that are out: 0 or 1
	sent    int64              // payload bytes sent for it
}

// order is one request; what was sent of it is cut off.
type order struct {
	part, begin, length uint32
	bulk                bool // larger than one piece message may be
}

func orderOf(r proto.Request) order {
	return order{r.Part, r.Begin, r.Length, r.Length > proto.MaxBlock}
}

// order takes a request in, and tells whether the core is to hear of its part. A request that may not wait is rejected.
func (l *link) order(r proto.Request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.choking || l.count >= reqq {
		l.refuse(orderOf(r))
		return false
	}
	l.count++
	if slices.Contains(l.granted, r.Part) {
		l.ready = append(l.ready, orderOf(r))
		l.rouse()
		return false
	}
	if l.waiting == nil {
		l.waiting = map[uint32][]order{}
	}
	l.waiting[r.Part] = append(l.waiting[r.Part], orderOf(r))
	return len(l.waiting[r.Part]) == 1
}

// refuse tells the peer that what is left of a request will not come. Called with mu held.
func (l *link) refuse(o order) {
	if l.fast {
		l.queue(proto.Reject{Part: o.part, Begin: o.begin, Length: o.length})
	}
}

// grant lets the writer send what was asked of the parts.
func (l *link) grant(parts []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grants++
	l.granted = parts
	for _, part := range parts {
		l.ready = append(l.ready, l.waiting[part]...)
		delete(l.waiting, part)
	}
	l.rouse()
}

// cancelled takes a request back, and tells the part if nothing more of it waits for a grant.
func (l *link) cancelled(c proto.Cancel) (uint32, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	same := func(o order) bool {
		return o.part == c.Part && int64(o.begin)+int64(o.length) == c.End() && o.begin >= c.Begin
	}
	if i := slices.IndexFunc(l.ready, same); i >= 0 {
		l.refuse(l.ready[i])
		l.ready = slices.Delete(l.ready, i, i+1)
		l.count--
		l.rouse()
		return 0, false
	}
	list := l.waiting[c.Part]
	i := slices.IndexFunc(list, same)
	if i < 0 {
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
func (l *link) setChoke(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.choking = on
	if !on {
		l.queue(proto.Unchoke{})
		return
	}
	l.queue(proto.Choke{})
	for _, o := range l.ready {
		l.refuse(o)
	}
	for _, list := range l.waiting {
		for _, o := range list {
			l.refuse(o)
		}
	}
	l.ready, l.waiting, l.count = nil, nil, 0
	l.rouse()
}
