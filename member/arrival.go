package member

import (
	"context"
	"errors"

	"orchestra/member/intake"
	"orchestra/member/store"
	"orchestra/member/swarm"
)

// newIntake returns the way in, which reports to the loop.
func (m *Member) newIntake() *intake.Pipe {
	var shared *intake.Buffers
	if m.host != nil {
		shared = m.host.buffers
	}
	return intake.New(intake.Config{
		Buffers:  shared,
		Disk:     m.store,
		PartLen:  m.comp.PartLen,
		Verified: m.verified,
		Written: func(ctx context.Context, peer int, run swarm.Run) {
			m.tell(ctx, swarm.Written{Peer: peer, Run: run})
		},
		Unwritten: func(ctx context.Context, peer int, run swarm.Run, err error) {
			ev := unwritten{peer: peer, run: run, err: err}
			if store.IsFull(err) {
				ev.free = m.free()
			}
			m.tell(ctx, ev)
		},
	})
}

// verified reports what came of a part.
func (m *Member) verified(ctx context.Context, part uint32, good bool, err error) {
	switch {
	case good:
		m.tell(ctx, swarm.Stored{Part: part})
	case err == nil:
		m.failed(ctx, part)
	default:
		m.unreadable(ctx, part, err)
	}
}

// failed reports a part that does not verify, with what is on disk where several may have sent it.
func (m *Member) failed(ctx context.Context, part uint32) {
	ev := swarm.Failed{Part: part}
	if m.comp.PartLen(int(part)) > swarm.RunSize {
		ev.Sums, _ = m.runSums(part) // if it cannot be read, that comes to light when it is written
	}
	m.tell(ctx, ev)
}

// unreadable has a part come anew that was written and cannot be read back.
func (m *Member) unreadable(ctx context.Context, part uint32, err error) {
	if !errors.Is(err, store.ErrChanged) { // which the user hears of
		m.tell(ctx, setback{part, err})
	}
	m.tell(ctx, swarm.Failed{Part: part, Disk: true})
}
