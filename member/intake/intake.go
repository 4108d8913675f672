// Package intake is the way in: one pipe from a run that a link takes in to the disk, to the
// checksum of its part, and to who waits for the part to be passed on.
//
// A link reads into buffers that all links share. Workers write them, in the order in which they
// came, and hash them while they are hot; parts that are whole are verified, several at once where
// that is cheaper. It knows no peers and decides nothing: how much is taken in at once, and how
// long a part may wait for others, it is told.
package intake

import (
	"context"
	"sync/atomic"
	"time"

	"orchestra/member/swarm"
)

// Disk is what the pipe needs of the content on disk: *store.Store, but for tests.
type Disk interface {
	// Write puts p at an offset of a part, and hashes what continues what came before.
	Write(part uint32, begin int64, p []byte) error
	// WriteOnly does not hash it: VerifyAll reads it back.
	WriteOnly(part uint32, begin int64, p []byte) error
	// VerifyAll compares parts with their checksums and tells of each, or why it cannot be read.
	VerifyAll(parts []uint32, tell func(part uint32, good bool, err error))
	// Upto returns how many bytes of a part are on disk in order, from its start. It takes no lock.
	Upto(part uint32) int64
	// Verified reports whether a part matched its checksum. It takes no lock.
	Verified(part uint32) bool
	// Together is how many parts are best verified at once.
	Together() int
}

// Config says where content goes and who hears of it. What is told may wait, until ctx ends.
type Config struct {
	Disk    Disk
	PartLen func(part int) int64
	Buffers *Buffers // shared with other pipes; nil: the pipe has its own

	// Written tells that a run is on disk that is not all of its part, which [Pipe.Verify] is for.
	Written func(ctx context.Context, peer int, run swarm.Run)
	// Verified tells what came of a part. The error is that it cannot be read back.
	Verified func(ctx context.Context, part uint32, good bool, err error)
	// Unwritten tells, once for a run, that the disk does not take it. Nothing more of it is
	// written.
	Unwritten func(ctx context.Context, peer int, run swarm.Run, err error)
}

// Pipe is the way in of a member. Its methods may be called from several goroutines at a time, and
// only those that are told a context wait.
type Pipe struct {
	cfg       Config
	buffers   *Buffers
	held      atomic.Int32 // of the buffers
	most      int32        // that may be
	streams   chan *Stream // each that has something for a worker, once
	crew      crew
	gathering *gathering
	followers followers
	hop       atomic.Int64
}

// New returns a pipe. It needs [Pipe.Work] to move anything.
func New(cfg Config) *Pipe {
	p := &Pipe{
		cfg:       cfg,
		buffers:   cfg.Buffers,
		most:      bufferShare,
		streams:   make(chan *Stream, 4*bufferCount),
		gathering: newGathering(cfg.Disk.Together()),
	}
	if p.buffers == nil {
		p.buffers, p.most = NewBuffers(), bufferCount
	}
	return p
}

// Work writes and verifies what comes until ctx ends, on as many goroutines as there are processors
// while there is so much to do, and on none of them while there is nothing. When it returns, they
// have ended.
func (p *Pipe) Work(ctx context.Context) {
	p.crew.begin(ctx, p)
	for {
		select {
		case <-p.gathering.due.C:
			p.verify(ctx, p.gathering.take())
		case <-ctx.Done():
			p.crew.end()
			return
		}
	}
}

// Pace sets how many bytes of a part are passed on at once while it comes (0: none are before it is
// whole), and how long a part that is whole may wait to be verified with others.
func (p *Pipe) Pace(hop int, wait time.Duration) {
	p.hop.Store(int64(hop))
	p.gathering.pace(wait)
}

// Lacks sets how many parts are missing. When no more than these can come, nothing waits for
// others.
func (p *Pipe) Lacks(parts int) { p.gathering.missing.Store(int64(parts)) }

// Step is how many bytes are taken in at once.
func (p *Pipe) Step() int {
	if hop := int(p.hop.Load()); hop > 0 {
		return hop
	}
	return bufferSize
}

// Here returns how many bytes of a part can be passed on, from its start. It takes no lock.
func (p *Pipe) Here(part uint32) int64 { return p.cfg.Disk.Upto(part) }

// InUse returns how many buffers hold something, or are being filled.
func (p *Pipe) InUse() int { return p.buffers.inUse() }

// take returns a buffer, or nil if this pipe has as many as it may.
func (p *Pipe) take() *buffer {
	if p.held.Load() >= p.most {
		return nil
	}
	b := p.buffers.get()
	if b != nil {
		p.held.Add(1)
	}
	return b
}

// await waits a little for a buffer; nil: none is to be had.
func (p *Pipe) await(ctx context.Context) *buffer {
	b := p.buffers.await(ctx)
	if b != nil {
		p.held.Add(1) // perhaps one more than it may, for each link that waits
	}
	return b
}

// giveBack ends the use of a buffer.
func (p *Pipe) giveBack(b *buffer) {
	p.held.Add(-1)
	p.buffers.put(b)
}

// Follow has wake hear, until the part has verified, that more of it is here. Who does not listen
// misses it.
func (p *Pipe) Follow(part uint32, wake chan<- struct{}) {
	p.followers.add(part, wake)
	if p.cfg.Disk.Verified(part) { // and did perhaps before wake was added
		p.followers.end(part)
	}
}

// Verify verifies a part all of whose runs were written, at once or with others.
func (p *Pipe) Verify(ctx context.Context, part uint32) {
	p.verify(ctx, p.gathering.add(part, time.Now()))
}

func (p *Pipe) verify(ctx context.Context, parts []uint32) {
	if len(parts) == 0 {
		return
	}
	p.cfg.Disk.VerifyAll(parts, func(part uint32, good bool, err error) {
		if good {
			p.followers.end(part)
		}
		p.cfg.Verified(ctx, part, good, err)
	})
}
