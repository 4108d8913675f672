package member

import (
	"context"
	"io"
	"time"

	"orchestra/member/swarm"
)

// webReader reads a run as fast as the download limit lets it, and tells the core how it gets on.
type webReader struct {
	ctx, own context.Context
	w        *webSource
	run      *webRun
	in       io.Reader
	got      uint32
	paid     int   // bytes that the limit has let pass and that did not come yet
	untold   int64 // bytes that came since the core was told
	told     time.Time
}

// Read reads once.
func (r *webReader) Read(p []byte) (int, error) {
	m := r.w.m
	if r.paid == 0 {
		n := min(len(p), portion(m.download))
		if err := wait(r.own, m.download, n, r.limited); err != nil {
			return 0, err
		}
		r.paid = n
	}
	n, err := r.in.Read(p[:min(len(p), r.paid)])
	if n == 0 {
		return n, err
	}
	r.paid -= n
	m.received.Add(int64(n))
	r.w.received.Add(int64(n))
	if r.got == 0 {
		if !r.w.begins(r.run) {
			return n, errTakenBack
		}
		if !m.tell(r.ctx, swarm.Started{Peer: r.w.peer, Run: r.run.Run}) {
			return n, r.ctx.Err()
		}
	}
	r.got += uint32(n)
	r.untold += int64(n)
	if time.Since(r.told) >= swarm.ReportEvery {
		if told := r.report(false); told != nil {
			return n, told
		}
	}
	return n, err
}

// limited tells the core that it is not the origin that holds up what comes.
func (r *webReader) limited() bool {
	return r.got == 0 || time.Since(r.told) < swarm.ReportEvery || r.report(true) == nil
}

func (r *webReader) report(limited bool) error {
	ev := swarm.Progress{
		Peer: r.w.peer, Down: r.untold, Run: r.run.Run, Got: r.got, Limited: limited,
	}
	r.untold, r.told = 0, time.Now()
	if !r.w.m.tell(r.ctx, ev) {
		return r.ctx.Err()
	}
	return nil
}
