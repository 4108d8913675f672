package member

import (
	"context"
	"errors"
	"io"
	"time"

	"orchestra/member/origin"
	"orchestra/member/swarm"
)

// labour is what a worker does until ctx ends. What it has got in full it hands on while the member
// lives.
func (w *webSource) labour(life, ctx context.Context, worker int) {
	for ctx.Err() == nil {
		rejected, batch := w.next(worker)
		for _, run := range rejected {
			w.m.tell(ctx, swarm.Rejected{Peer: w.peer, Run: run})
		}
		switch {
		case len(batch) > 0:
			w.get(life, ctx, batch)
			w.rouse() // there may be work for the other one now
		case len(rejected) == 0:
			select {
			case <-w.wake:
			case <-ctx.Done():
			}
		}
	}
}

// next takes what is to be rejected, and runs that follow each other. Until it is known that the
// origin sends stretches, one worker asks: it would send everything twice.
func (w *webSource) next(worker int) (rejected []swarm.Run, batch []*webRun) {
	ranges := w.from.Ranges() // takes a lock of its own
	w.mu.Lock()
	defer w.mu.Unlock()
	rejected, w.rejected = w.rejected, nil
	if worker > 0 && ranges != origin.WithRanges {
		return rejected, nil
	}
	length := int64(0)
	for _, r := range w.queue {
		if n := len(batch); n > 0 && (w.start(batch[n-1])+int64(batch[n-1].Length) != w.start(r) ||
			length+int64(r.Length) > stretchMost) {
			break
		}
		batch = append(batch, r)
		length += int64(r.Length)
	}
	w.queue = w.queue[len(batch):]
	w.reading = append(w.reading, batch...)
	return rejected, batch
}

// start is where a run begins in the content.
func (w *webSource) start(r *webRun) int64 {
	return int64(r.Part)*w.m.comp.PartSize + int64(r.Begin)
}

// get gets runs that follow each other in one answer. If one of them is taken back meanwhile, those
// that follow it are asked for again; if it fails, the origin is left for a while.
func (w *webSource) get(life, ctx context.Context, batch []*webRun) {
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	last := batch[len(batch)-1]
	in := w.from.Open(own, w.start(batch[0]), w.start(last)+int64(last.Length))
	defer in.Close()
	defer w.tellChange()
	var lacking *origin.FileError
	for i, r := range batch {
		err := w.getRun(life, own, ctx, in, r, cancel)
		switch {
		case err == nil:
			w.done(r)
			continue
		case ctx.Err() != nil:
		case errors.Is(err, errTakenBack):
			w.again(batch[i:])
		case errors.As(err, &lacking) && w.lack(ctx, lacking):
			w.again(batch[i:])
		default:
			w.failed(err)
		}
		return
	}
}

// getRun gets one run of an answer.
func (w *webSource) getRun(
	life, own, ctx context.Context, in io.Reader, r *webRun, cancel context.CancelCauseFunc,
) error {
	into := w.m.intake.Begin(w.peer, r.Run)
	defer into.Release()
	w.mu.Lock()
	r.cancel, r.into = cancel, into
	gone := r.gone
	w.mu.Unlock()
	if gone {
		return errTakenBack
	}
	reader := &webReader{ctx: ctx, own: own, w: w, run: r, in: in, told: time.Now()}
	if err := into.Read(own, reader, 0, int(r.Length)); err != nil {
		into.Abandon()
		w.m.unused.Add(int64(reader.got))
		if cause := context.Cause(own); cause != nil {
			return cause
		}
		return err
	}
	if err := reader.report(false); err != nil {
		return err
	}
	w.mu.Lock()
	if w.ended != nil && !r.gone {
		into.Abandon()
		r.gone = true
	}
	gone, r.cancel, r.into = r.gone, nil, nil
	first := w.state.works()
	w.mu.Unlock()
	if gone { // all of it came nevertheless
		w.m.unused.Add(int64(reader.got))
		return nil
	}
	if first {
		w.m.cfg.Log.Info().Msgf("%s is asked for what no member has", w.name())
	}
	// What the core believes to be here has to be written, though the origin may end meanwhile.
	if !w.m.tell(life, swarm.Received{Peer: w.peer, Run: r.Run}) {
		return life.Err()
	}
	return into.End(life)
}

// begins notes that a run comes, and reports whether it is still wanted.
func (w *webSource) begins(r *webRun) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.begun = true
	return !r.gone
}

// done ends a run.
func (w *webSource) done(r *webRun) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(r)
}

// forget ends the reading of a run. Called with mu held.
func (w *webSource) forget(r *webRun) {
	for i, q := range w.reading {
		if q == r {
			w.reading = append(w.reading[:i:i], w.reading[i+1:]...)
			return
		}
	}
}

// again asks once more for runs whose answer was ended, but for those that were taken back, or that
// the origin lacks.
func (w *webSource) again(batch []*webRun) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var left []*webRun
	for _, r := range batch {
		w.forget(r)
		if !r.gone && !w.lacking(r.Part) {
			r.cancel, r.into, r.begun = nil, nil, false
			left = append(left, r)
		}
	}
	w.queue = append(left, w.queue...)
}
