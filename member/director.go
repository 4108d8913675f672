package member

import (
	"context"
	"errors"
	"sync"
	"time"

	"orchestra/member/link"
	"orchestra/member/swarm"
	"orchestra/proto"
	"orchestra/proto/mtu"
)

// event is what the inbox carries: what the core is to be told, or one of the shell's own below.
type event any

type (
	// linkUp brings a link whose handshakes are done.
	linkUp struct{ link *connection }
	// linkDown tells that both goroutines of a link have ended.
	linkDown struct {
		link *connection
		err  error
	}
	// checkDone ends the check of the content.
	checkDone struct{ err error }
	// finished tells that the content has its name.
	finished struct{ err error }
	// crowded tells that another member of the host is in need of a link that this one has.
	crowded struct{}
	// broken ends the member: nothing more can be got where it is.
	broken struct{ err error }
)

// director is the loop and what it alone touches.
type director struct {
	*Member
	ctx    context.Context
	work   sync.WaitGroup // everything that the loop started
	core   *swarm.Swarm
	links  []partner // by peer; nil: free
	out    []swarm.Effect
	good   int   // parts that the check found good
	bad    []int // that are wanted, and left as they are
	told   bool  // that the content is complete
	failed error
	lookAt time.Time // when it is looked next whether anything comes
	leaves []func()  // what of this member is to be undone when it ends

	readers  []reading // of the content, that wait for a part
	notices  notices   // of parts, for the user
	absent   []uint32  // parts of which it was said last that nobody connected has them
	rechecks rechecks
	room     room
	hitch    string // what the disk did not do last, and is tried again
	carried  carried
	unasked  []byte // a bit for each part that a record is believed about and nobody asked for

	introductions introductions
}

// Run gets and shares the content until ctx ends, which is no error, or until it cannot go on. All
// it started has ended when it returns; a Member runs once.
func (m *Member) Run(ctx context.Context) error {
	m.result = m.direct(ctx)
	m.host.leave(m) // before anybody hears of the end, who may join the composition again
	close(m.run)
	return m.result
}

func (m *Member) direct(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d := newDirector(ctx, m)
	d.begin()
	d.loop()
	d.notices.end()
	cancel()
	if m.own {
		m.host.end()
		m.host.listener.Close()
	}
	for _, leave := range d.leaves {
		leave()
	}
	for _, l := range d.links {
		if l != nil {
			l.close(context.Cause(ctx))
		}
	}
	d.drain()
	m.closeOrigins()
	for _, l := range d.links {
		if _, ok := l.(*connection); ok {
			m.host.places.give(m)
		}
	}
	close(m.ended) // before the file is: a reader of the content can tell why it cannot read
	return errors.Join(d.failed, m.store.Close())
}

func newDirector(ctx context.Context, m *Member) *director {
	m.start = time.Now()
	return &director{Member: m, ctx: ctx, core: swarm.New(swarm.Config{
		Size: m.comp.Size, PartSize: m.comp.PartSize, ID: m.self, Seed: seed(),
		Unchecked: m.store.Unchecked(), Skip: m.skip, Have: m.store.Known(), MaxPeers: m.cfg.MaxPeers,
		Sequential: m.cfg.Sequential,
	})}
}

// begin starts everything but the links.
func (d *director) begin() {
	d.work.Go(func() { d.intake.Work(d.ctx) })
	d.watcher.begin(d.ctx)
	d.leaves = append(d.leaves, d.host.watch(d.watcher))
	if d.own {
		d.work.Go(func() { d.host.look(d.ctx) })
	}
	d.work.Go(func() {
		d.store.Settle(d.ctx, d.notMoved)
	})
	d.work.Go(func() { d.store.KeepJournal(d.ctx, d.noJournal) })
	d.unasked = d.watcher.distrust()
	unchecked := d.store.Unchecked()
	if !unchecked || !d.cfg.Check {
		d.connect()
	}
	d.update(func(p *Progress) { p.Checking = unchecked })
	if !unchecked {
		d.watcher.checkEnded(nil)
		return
	}
	d.good = d.progress.Resumed
	d.work.Go(func() {
		err := d.host.check(d.ctx, func() error {
			return d.store.Check(d.ctx, func(part uint32, good bool) {
				d.tell(d.ctx, swarm.Checked{Part: part, Good: good})
			})
		})
		d.tell(d.ctx, checkDone{err})
	})
}

// connect lets this member be found, and finds others.
func (d *director) connect() {
	d.leaves = append(d.leaves, d.host.serve(d.Member))
	if d.own {
		d.work.Go(func() { d.host.accept(d.ctx) })
		d.work.Go(func() { d.host.watchMachine(d.ctx) })
	}
	for _, n := range d.named {
		d.work.Go(func() { n.keep(d.ctx, d.Member) })
	}
	for _, w := range d.origins {
		d.work.Go(func() { d.tell(d.ctx, originUp{w}) })
	}
	dialer := mtu.Dialer(proto.HandshakeTimeout)
	for i, tier := range d.trackers {
		a := d.announceAs(tier, len(d.conductors)+i, dialer.DialContext)
		d.work.Go(func() { a.run(d.ctx, false) })
	}
	for i, addr := range d.conductors {
		c := &conductor{
			Member: d.Member, addr: addr, index: i, complaints: d.complaints[i],
			dial: d.keyed(dialer.DialContext),
		}
		d.work.Go(func() { c.run(d.ctx) })
	}
}

// loop is the one owner of the swarm's state. It ends with the context, or when the member cannot
// go on.
func (d *director) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	d.lookAt = time.Now().Add(lookEvery)
	d.step(swarm.Tick{})
	for d.failed == nil {
		if at := d.next(); at.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(at))
		}
		select {
		case ev := <-d.inbox:
			d.take(ev)
			for n := len(d.inbox); n > 0 && d.failed == nil; n-- {
				d.take(<-d.inbox)
			}
			d.lookAt = sooner(d.lookAt, time.Now().Add(lookEvery))
		case <-timer.C:
			now := time.Now()
			d.step(swarm.Tick{})
			d.notices.tell(now)
			d.recheck(now)
			d.introduce(now)
			d.lookForRoom(now)
			if !now.Before(d.lookAt) {
				d.lookAtLinks(now)
				d.explain()
				d.lookAt = now.Add(d.lookAgain())
			}
		case <-d.ctx.Done():
			return
		}
		d.update(nil)
	}
}

// update publishes the core's counts, and what else the loop knows, in one step: whoever reads that
// the check is over or that all is here reads the counts that go with it.
func (d *director) update(f func(p *Progress)) { d.publish(d.core.Stats(), f) }

// next is when the loop has something to do at the latest; the zero time if never.
func (d *director) next() time.Time {
	at := sooner(sooner(d.lookAt, d.room.at), sooner(d.notices.next(), d.rechecks.next()))
	at = sooner(at, d.introductions.at)
	if due, ok := d.core.Next(); ok {
		at = sooner(at, d.start.Add(due))
	}
	return at
}

// sooner is the earlier one of two times, of which the zero time is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// drain empties the inbox while what the loop started comes to its end.
func (d *director) drain() {
	done := make(chan struct{})
	go func() {
		d.work.Wait()
		d.watcher.end()
		close(done)
	}()
	for {
		select {
		case ev := <-d.inbox:
			if up, ok := ev.(linkUp); ok {
				up.link.conn.Close()
			}
		case <-done:
			return
		}
	}
}

// step tells the core of an event and does what it asks for.
func (d *director) step(ev swarm.Event) {
	d.out = d.core.Step(d.now(), ev, d.out[:0])
	for _, e := range d.out {
		d.perform(e)
	}
}

func (d *director) take(ev event) {
	switch ev := ev.(type) {
	case linkUp:
		d.linkUp(ev.link)
	case linkDown:
		d.linkDown(ev)
	case originUp:
		d.originUp(ev.from)
	case originDown:
		d.originDown(ev)
	case checkDone:
		d.checkDone(ev.err)
	case finished:
		d.finished(ev.err)
	case broken:
		d.failed = ev.err
	case unwritten:
		d.unwritten(ev)
	case setback:
		d.setback(ev)
	case free:
		d.seesRoom(ev)
	case hindered:
		d.hindered(ev)
	case lostParts:
		d.lost(ev)
	case regainedParts:
		d.regained(ev)
	case accused:
		d.accused(ev)
	case looking:
		d.looking(ev)
	case link.Accused:
		d.accused(accused{ev.Part})
	case rechecked:
		d.rechecked(ev)
	case reading:
		d.reading(ev)
	case moved:
		d.moved(ev)
	case crowded:
		d.step(swarm.Crowded{})
	case swarm.Checked:
		ev.Keep = d.store.Keeps(ev.Part)
		switch {
		case ev.Good:
			d.good++
		case ev.Keep && d.wants(ev.Part):
			d.bad = append(d.bad, int(ev.Part))
		}
		d.step(ev)
		if !ev.Good && len(d.readers) > 0 {
			d.disappoint()
		}
	case swarm.Stored:
		d.step(ev)
		d.roomy()
	case swarm.Withdrawn:
		d.step(ev)
		d.withdrawn(ev)
	case swarm.Event:
		d.carried.take(ev)
		d.step(ev)
	}
}
