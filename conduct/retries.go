package conduct

import (
	"container/heap"
	"time"
)

// A member's claim that failed, or was put off, is looked at when the member
// pings. A guest says nothing between its announcements, so those of guests are
// timed here. They are dialled when no first dial back waits, and within the same
// bounds.
//
// Some guests announce themselves more seldom than they are asked to (rtorrent and
// what is made of libtorrent at most once in 5 minutes). So one that could be
// dialled and is silent for too long is dialled again before it counts as gone.

// lookedForIn is how long a silent guest has to be found: the time for a dial
// back, and for another one if that fails.
const lookedForIn = firstRecheck + 15*time.Second

// lookFor has a guest that is silent for too long dialled, and reports whether it
// may still be there. It is called when its deadline has come.
func (r *registry) lookFor(now time.Time, e *entry) bool {
	if !e.guest || e.lookedFor || e.main.state != claimGood {
		return false
	}
	e.lookedFor = true
	e.main.again = now
	r.timeRetry(e)
	e.deadline = now.Add(lookedForIn)
	heap.Fix(&r.expiry, e.expiryPos)
	return true
}

// guestLives takes a sign of life of a guest.
func (r *registry) guestLives(now time.Time, e *entry) {
	e.lookedFor = false
	r.timeRetry(e)
	e.deadline = now.Add(visitSilence)
	heap.Fix(&r.expiry, e.expiryPos)
}

// timeRetry sees to it that a guest is among those that are to be dialled again if
// it is one of them, at the right time. It is called when that may have changed.
func (r *registry) timeRetry(e *entry) {
	c := &e.main // the only one that guests have
	wanted := e.guest && !e.gone && c.isToRetry(e.lookedFor)
	switch listed := e.retryPos > 0; {
	case wanted && listed:
		e.retryAt = c.again
		heap.Fix(&r.retries, e.retryPos-1)
	case wanted:
		e.retryAt = c.again
		heap.Push(&r.retries, e)
	case listed:
		heap.Remove(&r.retries, e.retryPos-1)
	}
}

// isToRetry reports whether a claim that no dial back waits or runs for is to be
// dialled again: it is not good, or it is to be found out whether it still is.
func (c *claim) isToRetry(lookedFor bool) bool {
	return c.host != "" && !c.queued && (c.state != claimGood || lookedFor)
}

// takeRetry takes the guest whose time has come first, if there is one.
func (r *registry) takeRetry(now time.Time) (w waiting, ok bool) {
	if len(r.retries) == 0 || r.retries[0].retryAt.After(now) {
		return waiting{}, false
	}
	e := r.retries[0]
	e.main.queued = true
	r.timeRetry(e)
	return waiting{e, &e.main, e.main.host, true}, true
}

// nextRetry is when a guest is to be dialled again; the zero time if none is, or
// if others have to end first.
func (r *registry) nextRetry() time.Time {
	if len(r.retries) == 0 || len(r.running) >= r.lim.dials || r.guestDials >= r.lim.guestDials() {
		return time.Time{}
	}
	return r.retries[0].retryAt
}

// retryHeap has the guest that is to be dialled again first at its top.
type retryHeap []*entry

func (h retryHeap) Len() int           { return len(h) }
func (h retryHeap) Less(i, j int) bool { return h[i].retryAt.Before(h[j].retryAt) }
func (h retryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].retryPos, h[j].retryPos = i+1, j+1
}

func (h *retryHeap) Push(x any) {
	e := x.(*entry)
	*h = append(*h, e)
	e.retryPos = len(*h)
}

func (h *retryHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.retryPos = 0
	return e
}
