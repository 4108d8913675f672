package page

import (
	"context"
	"net/netip"
	"time"
)

// Times and bounds of viewers.
const (
	lookEvery = time.Second
	// that a composition is still looked at after its last viewer went: a reload is no news
	linger       = 10 * time.Second
	maxViewers   = 128
	maxPerSource = 16
	viewerQueue  = 8 // frames that may wait for a viewer
)

// A viewer is a browser that shows the page. The hub's loop owns it, but for the queue.
type viewer struct {
	id     string // the composition that it looks at; "": none
	source netip.Addr
	masked bool
	queue  chan []byte // closed by the loop when it is dropped
	begun  bool        // it has the snapshot
}

// entering brings a viewer to the loop, and the answer back.
type entering struct {
	v  *viewer
	ok chan bool
}

// topic is a composition that somebody looks at, or did a moment ago.
type topic struct {
	until time.Time // that it is kept, without viewers
	plain *Detail   // as it was sent last; nil: it was not known
	mask  *Detail   // the same, to strangers, if there are any
}

// hub is what the loop knows.
type hub struct {
	look    func(ctx context.Context, ids []string) (View, bool)
	viewers map[*viewer]struct{}
	topics  map[string]*topic
	last    View // as it was sent last
	turned  time.Time
	idle    bool // nobody looked at the last look, and whoever has the page knows
}

// Run asks for views and passes them on, while somebody looks, until the context ends.
func (p *Page) Run(ctx context.Context) {
	defer close(p.ended)
	h := &hub{look: p.cfg.Look, viewers: make(map[*viewer]struct{}), topics: make(map[string]*topic), idle: true}
	tick := time.NewTicker(lookEvery)
	tick.Stop()
	ticking := false
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			for v := range h.viewers {
				close(v.queue)
			}
			return
		case e := <-p.enter:
			ok := h.admit(e.v)
			e.ok <- ok
			if now := time.Now(); ok && now.Sub(h.turned) >= lookEvery/4 {
				h.turn(ctx, now) // else it waits for the next one
			}
		case v := <-p.leave:
			h.drop(v)
		case now := <-tick.C:
			h.turn(ctx, now)
		}
		p.viewers.Store(int64(len(h.viewers)))
		if busy := len(h.viewers) > 0 || !h.idle; busy != ticking {
			if ticking = busy; busy {
				tick.Reset(lookEvery)
			} else {
				tick.Stop()
			}
		}
	}
}

// admit takes a viewer if there is room.
func (h *hub) admit(v *viewer) bool {
	same := 0
	for other := range h.viewers {
		if other.source == v.source {
			same++
		}
	}
	if len(h.viewers) >= maxViewers || same >= maxPerSource {
		return false
	}
	h.viewers[v] = struct{}{}
	return true
}

// drop forgets a viewer.
func (h *hub) drop(v *viewer) {
	if _, ok := h.viewers[v]; ok {
		delete(h.viewers, v)
		close(v.queue)
	}
}

// turn looks how things are and sends what is different.
func (h *hub) turn(ctx context.Context, now time.Time) {
	h.turned = now
	for v := range h.viewers {
		if v.id == "" {
			continue
		}
		t := h.topics[v.id]
		if t == nil {
			t = &topic{}
			h.topics[v.id] = t
		}
		t.until = now.Add(linger)
	}
	var ids []string
	for id, t := range h.topics {
		if !t.until.After(now) {
			delete(h.topics, id)
			continue
		}
		ids = append(ids, id)
	}
	view, ok := h.look(ctx, ids)
	if !ok {
		return
	}
	h.idle = len(h.viewers) == 0 && len(ids) == 0
	h.send(now, view)
}

// send tells each viewer what is new to it.
func (h *hub) send(now time.Time, view View) {
	list, next := changedList(h.last, view), make(map[string]*topic, len(h.topics))
	for id, t := range h.topics {
		next[id] = &topic{until: t.until, plain: view.Details[id]}
	}
	for v := range h.viewers {
		if n := next[v.id]; v.masked && n != nil && n.plain != nil && n.mask == nil {
			n.mask = n.plain.masked()
		}
	}
	made := make(map[audience][]byte)
	for v := range h.viewers {
		to := audience{v.id, v.masked, v.begun}
		text := made[to]
		if text == nil {
			text = h.compose(now, view, list, to, next[v.id])
			made[to] = text
		}
		v.begun = true
		select {
		case v.queue <- text:
		default:
			h.drop(v) // its browser comes back when it can
		}
	}
	h.topics, h.last = next, view
}

// audience is what viewers have in common that are sent the same.
type audience struct {
	id            string
	masked, begun bool
}

func (h *hub) compose(now time.Time, view View, list *listing, to audience, after *topic) []byte {
	m := message{Now: now.UnixMilli(), List: list}
	kind := "change"
	if !to.begun {
		kind = "snapshot"
		m.Page, m.Masked, m.List = &view, &to.masked, changedList(View{}, view)
		if to.masked {
			m.Page = view.masked()
		}
	}
	if to.id == "" {
		return frame(kind, m)
	}
	detail, before := after.seen(to.masked), (*Detail)(nil)
	if was := h.topics[to.id]; to.begun && was != nil {
		before = was.seen(to.masked)
	}
	if m.Missing = detail == nil; !m.Missing {
		m.Detail = changedDetail(to.id, before, detail)
	}
	return frame(kind, m)
}

// seen is what those see who may see all, or not.
func (t *topic) seen(masked bool) *Detail {
	if masked {
		return t.mask
	}
	return t.plain
}
