package member

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"orchestra/member/swarm"
	"orchestra/member/tracker"
	"orchestra/proto"
)

// Times of announcing to BitTorrent trackers.
const (
	trackerFirst = 5 * time.Second // until a tracker that did not answer is asked again
	trackerMost  = 10 * time.Minute
	trackerBye   = 2 * time.Second // to say that this member leaves
	// A member that knows fewer others than trackerFew asks again as soon as the tracker lets it.
	trackerFew   = 5
	trackerSoon  = time.Minute
	trackerAsked = 50 // others that it wants to be told of
)

// An announcer keeps this member listed at one tier of BitTorrent trackers (BEP 12): it asks the
// trackers in turn until one answers, and stays with that one. One that turns out to be a conductor
// is used as one.
type announcer struct {
	*Member
	urls   []string
	index  int // of its state, behind those of the conductors
	client *tracker.Client
	dial   dialFunc // for a conductor
	key    uint32
	id     string // the tracker's, for this member
	told   bool   // it is listed
	whole  bool   // and as complete
}

// announceAs makes the announcer of a tier.
func (m *Member) announceAs(urls []string, index int, dial dialFunc) *announcer {
	urls = slices.Clone(urls)
	rand.Shuffle(len(urls), func(i, j int) { urls[i], urls[j] = urls[j], urls[i] })
	return &announcer{Member: m, urls: urls, index: index, client: &tracker.Client{Agent: "Orchestra"}, dial: dial, key: rand.Uint32()}
}

// run announces until the context ends, or, if it is to be given up, until no tracker answers.
func (a *announcer) run(ctx context.Context, giveUp bool) {
	defer a.client.Close()
	pause := backoff{wait: trackerFirst, most: trackerMost}
	for ctx.Err() == nil {
		answer, from, err := a.announceToAny(ctx)
		if ctx.Err() != nil {
			break
		}
		var wait time.Duration
		var refused *tracker.RefusedError
		switch {
		case err != nil && giveUp && !errors.As(err, &refused):
			a.tell(ctx, swarm.Conducted{Conductor: a.index})
			return
		case err != nil:
			a.say(false, fmt.Sprintf("tracker %s %s", from, wordsOfTracker(err)))
			a.tell(ctx, swarm.Conducted{Conductor: a.index})
			wait = pause.next(rand.N)
			if errors.As(err, &refused) {
				wait = max(wait, refused.After)
				if refused.After < 0 {
					wait = trackerMost // it says never; nothing is for ever
				}
			}
		case answer.Conducts:
			if c := a.conductorAt(from); c != nil {
				a.told = true
				a.leave(ctx) // it would take the member that comes for somebody else
				c.run(ctx)
				return
			}
			fallthrough
		default:
			pause = backoff{wait: trackerFirst, most: trackerMost}
			a.say(true, "tracker "+from)
			a.take(ctx, answer)
			wait = a.until(answer)
		}
		_, changed := a.machine.now()
		select {
		case <-time.After(wait):
		case <-a.becomesWhole():
		case <-changed:
		case <-ctx.Done():
		}
	}
	a.leave(context.WithoutCancel(ctx))
}

// becomesWhole is ready when the tracker is to hear that this member became complete.
func (a *announcer) becomesWhole() <-chan struct{} {
	if a.told && !a.whole {
		return a.complete
	}
	return nil
}

// announceToAny announces to the first tracker of the tier that answers, and puts it first.
func (a *announcer) announceToAny(ctx context.Context) (answer tracker.Answer, from string, err error) {
	for i, address := range a.urls {
		says, whole := a.announcement()
		answer, err = a.client.Announce(ctx, address, says)
		if err == nil {
			a.whole = whole
			a.cfg.Log.Debug().Str("tracker", hostOf(address)).Int("peers", len(answer.Peers)).Msg("the tracker answers")
			a.urls = slices.Insert(slices.Delete(a.urls, i, i+1), 0, address)
			return answer, hostOf(address), nil
		}
		if ctx.Err() != nil {
			return answer, hostOf(address), err
		}
		a.cfg.Log.Debug().Err(err).Str("tracker", hostOf(address)).Msg("the tracker does not answer")
	}
	return answer, hostOf(a.urls[0]), err
}

// announcement is what a tracker is told, and whether that is of a complete member: it may become
// so while the tracker answers.
func (a *announcer) announcement() (t tracker.Announcement, whole bool) {
	p := a.Progress()
	t = tracker.Announcement{
		ID: a.Member.id, PeerID: a.self, Port: a.advertisedPort(), Key: a.key, Want: trackerAsked,
		Uploaded: p.Uploaded, Downloaded: p.Downloaded, Left: a.comp.Size - a.storedBytes(p), TrackerID: a.id,
	}
	switch {
	case !a.told:
		t.Event = tracker.Started
	case p.Complete && !a.whole:
		t.Event = tracker.Completed
	}
	return t, p.Complete
}

// storedBytes is about how much is here: what is left counts to a tracker as all or nothing.
func (m *Member) storedBytes(p Progress) int64 {
	if p.Stored == m.comp.NumParts() {
		return m.comp.Size
	}
	return min(int64(p.Stored)*m.comp.PartSize, m.comp.Size-1)
}

// advertisedPort is where others reach this member, as far as a tracker can be told.
func (m *Member) advertisedPort() uint16 {
	if _, port, err := net.SplitHostPort(m.cfg.Advertise); err == nil {
		if n, err := net.LookupPort("tcp", port); err == nil {
			return uint16(n)
		}
	}
	return m.addr.Port()
}

// take passes on what a tracker told.
func (a *announcer) take(ctx context.Context, answer tracker.Answer) {
	a.told, a.id = true, answer.TrackerID
	if answer.Warning != "" {
		a.cfg.Log.Warn().Str("tracker", hostOf(a.urls[0])).Str("warning", answer.Warning).Msg("the tracker warns")
	}
	a.tell(ctx, swarm.Conducted{Conductor: a.index, On: true})
	for _, at := range answer.Peers {
		a.tell(ctx, swarm.Found{Addrs: []netip.AddrPort{at}, Conductor: a.index})
	}
}

// until is how long to wait until the next announcement.
func (a *announcer) until(answer tracker.Answer) time.Duration {
	wait := answer.Interval
	if p := a.Progress(); !p.Complete && p.Known < trackerFew {
		wait = min(wait, max(answer.Least, trackerSoon))
	}
	return wait
}

// leave tells the tracker that this member is gone, if it can be told soon.
func (a *announcer) leave(ctx context.Context) {
	if !a.told {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, trackerBye)
	defer cancel()
	t, _ := a.announcement()
	t.Event, t.Want = tracker.Stopped, 0
	_, _ = a.client.Announce(ctx, a.urls[0], t) // it finds out by itself
}

// say notes how the tier is, for people.
func (a *announcer) say(up bool, words string) {
	a.update(func(p *Progress) {
		a.states[a.index] = conductorState{up: up, words: words}
		p.ConductorUp, p.Conductor = overall(a.states)
	})
}

// conductorAt is the conductor that answers as a tracker at an address; nil if it is one of the
// member's already.
func (a *announcer) conductorAt(hostport string) *conductor {
	if _, _, err := net.SplitHostPort(hostport); err != nil || slices.Contains(a.conductors, hostport) {
		return nil
	}
	return &conductor{
		Member: a.Member, addr: hostport, index: a.index, complaints: make(chan proto.Complain), dial: a.dial,
	}
}

// announceHere uses a tracker that answers in the place of a conductor, until it does so no more.
func (c *conductor) announceHere(ctx context.Context) {
	a := c.announceAs([]string{"http://" + c.addr + "/announce"}, c.index, c.dial)
	a.run(ctx, true)
}

// hostOf is where a tracker is: its URL has secrets of its users in it at times.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "of no address"
	}
	if u.Port() == "" && u.Scheme == "http" {
		return net.JoinHostPort(u.Hostname(), "80")
	}
	return u.Host
}

// wordsOfTracker says why a tracker cannot be used.
func wordsOfTracker(err error) string {
	var refused *tracker.RefusedError
	if errors.As(err, &refused) {
		return "cannot be used: " + refused.Error()
	}
	var name *net.DNSError
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "unreachable: there is no host of this name"
	case faultOf(err) == swarm.NobodyListens:
		return "unreachable: nothing listens there"
	case faultOf(err) == swarm.NoAnswer:
		return "unreachable: it does not answer"
	case faultOf(err) == swarm.NoWay:
		return "unreachable: the network has no way there"
	}
	return "cannot be used: " + err.Error()
}
