package member

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"orchestra/member/store"
	"orchestra/member/swarm"
)

// How long a part may wait for others to be verified with, in general and in a chain in which
// nobody has to hear of it at once. Where fewer come in that time, each is hashed while it is
// written.
const (
	verifyWithin      = 20 * time.Millisecond
	verifyWhenSettled = 500 * time.Millisecond
)

// verifier gathers parts that are written in full, if as many as are best verified together come
// soon enough.
type verifier struct {
	together int         // parts; 1: each is verified by itself
	fast     atomic.Bool // they are not to be hashed while they are written

	mu      sync.Mutex
	waiting []uint32
	due     *time.Timer // when they have waited long enough
	whole   []time.Time // when the last parts were whole, oldest first
}

func newVerifier(together int) *verifier {
	v := &verifier{together: together, due: time.NewTimer(time.Hour)}
	v.due.Stop()
	return v
}

// add takes a part that is written in full, and gives those that are to be verified now. It may
// wait so long at most, unless no other part is missing.
func (v *verifier) add(part uint32, now time.Time, within time.Duration, missing int) []uint32 {
	if v.together == 1 {
		return []uint32{part}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.whole = append(v.whole, now)
	if n := len(v.whole); n > v.together {
		v.whole = v.whole[n-v.together:]
	}
	took := now.Sub(v.whole[0]) // for as many
	v.fast.Store(len(v.whole) == v.together && took < within)
	v.waiting = append(v.waiting, part)
	if n := len(v.waiting); !v.fast.Load() || n >= v.together || n >= missing {
		return v.take()
	}
	if len(v.waiting) == 1 {
		v.due.Reset(min(within, 2*took)) // not much longer than the others should take
	}
	return nil
}

// hurry ends the time that parts may wait.
func (v *verifier) hurry() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.waiting) > 0 {
		v.due.Reset(0)
	}
}

// overdue gives those that waited.
func (v *verifier) overdue() []uint32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.take()
}

func (v *verifier) take() (parts []uint32) {
	v.due.Stop()
	parts, v.waiting = v.waiting, nil
	return parts
}

// written has a part verified that is written in full, now or with others.
func (m *Member) written(ctx context.Context, part uint32) {
	within := verifyWithin
	if m.settled.Load() {
		within = verifyWhenSettled
	}
	m.verify(ctx, m.verifier.add(part, time.Now(), within, int(m.missing.Load())))
}

// mostUnreadBack is how often what was written may not be readable again until the disk is given
// up.
const mostUnreadBack = 8

// verify compares parts with their checksums and reports what came of each.
func (m *Member) verify(ctx context.Context, parts []uint32) {
	m.store.VerifyAll(parts, func(part uint32, good bool, err error) {
		switch {
		case good:
			m.tell(ctx, swarm.Stored{Part: part})
		case err == nil:
			m.failed(ctx, part)
		default:
			m.unreadable(ctx, part, err)
		}
	})
}

// unreadable has a part come anew that was written and cannot be read back. If that happens again
// and again, the disk is of no use.
func (m *Member) unreadable(ctx context.Context, part uint32, err error) {
	if !errors.Is(err, store.ErrChanged) { // which the user hears of
		if m.unreadBack.Add(1) > mostUnreadBack {
			m.tell(ctx, broken{err})
			return
		}
		m.cfg.Log.Warn().Msgf("%v; part %d is fetched anew", err, part)
	}
	m.tell(ctx, swarm.Failed{Part: part, Disk: true})
}
