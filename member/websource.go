package member

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"time"

	"orchestra/member/intake"
	"orchestra/member/origin"
	"orchestra/member/swarm"
	"orchestra/proto"
)

// A webSource does for the core with an origin what a connection does with a member: it gets the
// runs that the core asks for, and takes them back.
//
// Two workers ask the origin for stretches of the content, each for some runs that follow each
// other, so that one of them is sent while the other one asks. The loop tells them what to do, and
// waits for nothing.
type webSource struct {
	m    *Member
	from *origin.Source
	id   proto.PeerID
	addr netip.AddrPort // which stands for it where hosts are told apart
	peer int            // the number that the loop gave it

	wake chan struct{} // of the workers: something is to be done

	mu       sync.Mutex // whoever holds it moves memory alone
	queue    []*webRun  // asked for, and not begun
	reading  []*webRun  // that a worker has
	rejected []swarm.Run
	ended    error
	stop     context.CancelCauseFunc
	fails    int       // answers in a row that were of no use
	until    time.Time // it is left alone until then
	trouble  string    // what was wrong last; empty when something came since
	came     bool      // something did, ever
}

// webRun is a run that an origin is asked for.
type webRun struct {
	swarm.Run
	cancel context.CancelCauseFunc // of the answer that it comes in; nil: it is in none
	into   *intake.Stream          // where it goes then
	begun  bool
	gone   bool // it was taken back
}

const (
	// stretchMost is how many bytes are asked of an origin at a time, unless a run is longer.
	stretchMost = 1 << 20
	webWorkers  = 2
	// webRoundTrip is what an answer of an origin is taken to take until it begins.
	webRoundTrip = 50 * time.Millisecond

	// An origin that fails is left alone for webFirst, then twice as long each time; one that says
	// that it does not have what it is asked for, for webRefused at first.
	webFirst   = time.Second
	webRefused = 15 * time.Second
	webMost    = 5 * time.Minute
	// webAgain is how long an origin is left alone that the core has given up.
	webAgain = time.Minute
)

var errTakenBack = errors.New("the run was taken back")

// newWebSources describes the origins of the composition. A URL that is none is told, and left out.
func (m *Member) newWebSources() {
	if m.comp.Size == 0 {
		return
	}
	for _, address := range m.comp.Webseeds() {
		src, err := origin.New(origin.Config{
			URL: address, File: m.comp, Agent: agent(m.cfg.Version), Env: os.Getenv,
		})
		if err != nil {
			m.cfg.Log.Warn().Msgf("a web server of the .orch file is not asked: %v", err)
			continue
		}
		m.origins = append(m.origins, newWebSource(m, src))
	}
}

func agent(version string) string {
	if version == "" {
		return "Orchestra"
	}
	return "Orchestra/" + version
}

func newWebSource(m *Member, from *origin.Source) *webSource {
	w := &webSource{m: m, from: from, id: from.ID(), wake: make(chan struct{}, webWorkers)}
	// No host has an address like that: it is of the network that stands for nowhere (RFC 6666).
	sum := sha256.Sum256(w.id[:])
	a := [16]byte{0x01}
	copy(a[2:], sum[:14])
	w.addr = netip.AddrPortFrom(netip.AddrFrom16(a), 0)
	return w
}

// name is how the user knows it.
func (w *webSource) name() string { return "the web server " + w.from.Name() }

// up gives it its number, and returns what the core is told of it.
func (w *webSource) up(peer int) swarm.Joined {
	w.peer = peer
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended, w.queue, w.reading, w.rejected = nil, nil, nil, nil
	return swarm.Joined{
		Peer: peer, ID: w.id, Addr: w.addr, MaxRun: swarm.RunSize, RoundTrip: webRoundTrip,
		Origin: true,
	}
}

// run gets what is asked for until it is closed, and returns why.
func (w *webSource) run(ctx context.Context) error {
	own, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	w.mu.Lock()
	w.stop = stop
	if w.ended != nil {
		stop(w.ended)
	}
	w.mu.Unlock()
	var workers sync.WaitGroup
	for i := range webWorkers {
		workers.Go(func() { w.work(own, i) })
	}
	workers.Wait()
	return context.Cause(own)
}

// close ends it; the first reason counts.
func (w *webSource) close(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended == nil {
		w.ended = why
	}
	if w.stop != nil {
		w.stop(w.ended)
	}
}

// doubt asks for no sign of life: there is no connection that could be dead without its showing.
func (w *webSource) doubt() {}

// do does what the core asked for. The loop calls it.
func (w *webSource) do(e swarm.Effect, _ *swarm.Swarm) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := e.(type) {
	case swarm.Fetch:
		w.queue = append(w.queue, &webRun{Run: e.Run})
	case swarm.Cancel:
		w.takeBack(e.Run, true)
	case swarm.Recall:
		if !w.takeBack(e.Run, false) {
			return
		}
		w.rejected = append(w.rejected, e.Run)
	default:
		return
	}
	w.rouse()
}

// takeBack gives a run up, even one that has begun or only one that has not, and reports whether it
// did. Called with mu held.
func (w *webSource) takeBack(run swarm.Run, even bool) bool {
	for i, r := range w.queue {
		if r.Run == run {
			w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
			return true
		}
	}
	for _, r := range w.reading {
		if r.Run == run && !r.gone && (even || !r.begun) {
			r.gone = true
			if r.cancel != nil {
				r.into.Abandon() // what is written from now on is of who is asked next
				r.cancel(errTakenBack)
			}
			return true
		}
	}
	return false
}

// rouse lets the workers look for something to do.
func (w *webSource) rouse() {
	for range webWorkers {
		select {
		case w.wake <- struct{}{}:
		default:
			return
		}
	}
}

// work is what a worker does.
func (w *webSource) work(ctx context.Context, worker int) {
	for ctx.Err() == nil {
		rejected, batch := w.next(worker)
		for _, run := range rejected {
			w.m.tell(ctx, swarm.Rejected{Peer: w.peer, Run: run})
		}
		switch {
		case len(batch) > 0:
			w.get(ctx, batch)
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
	if time.Now().Before(w.until) {
		for _, r := range w.queue {
			rejected = append(rejected, r.Run)
		}
		w.queue = nil
		return rejected, nil
	}
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
// that follow it are asked for again; if it fails, they are rejected.
func (w *webSource) get(ctx context.Context, batch []*webRun) {
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	last := batch[len(batch)-1]
	in := w.from.Open(own, w.start(batch[0]), w.start(last)+int64(last.Length))
	defer in.Close()
	for i, r := range batch {
		err := w.getRun(own, ctx, in, r, cancel)
		switch {
		case err == nil:
			w.done(r)
			continue
		case ctx.Err() != nil:
		case errors.Is(err, errTakenBack):
			w.again(batch[i:])
		default:
			w.failed(err)
			w.reject(ctx, batch[i:])
		}
		return
	}
}

// getRun gets one run of an answer.
func (w *webSource) getRun(own, ctx context.Context, in io.Reader, r *webRun, cancel context.CancelCauseFunc) error {
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
	gone, r.cancel, r.into = r.gone, nil, nil
	w.fails, w.trouble = 0, ""
	first := !w.came
	w.came = true
	w.mu.Unlock()
	if gone { // all of it came nevertheless
		w.m.unused.Add(int64(reader.got))
		return nil
	}
	if first {
		w.m.cfg.Log.Info().Msgf("%s is asked for what no member has", w.name())
	}
	if !w.m.tell(ctx, swarm.Received{Peer: w.peer, Run: r.Run}) {
		return ctx.Err()
	}
	return into.End(ctx)
}

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

// again asks once more for runs whose answer was ended, but for those that were taken back.
func (w *webSource) again(batch []*webRun) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var left []*webRun
	for _, r := range batch {
		w.forget(r)
		if !r.gone {
			r.cancel, r.into, r.begun = nil, nil, false
			left = append(left, r)
		}
	}
	w.queue = append(left, w.queue...)
}

// reject gives the core runs back.
func (w *webSource) reject(ctx context.Context, batch []*webRun) {
	for _, r := range batch {
		w.mu.Lock()
		w.forget(r)
		gone := r.gone
		w.mu.Unlock()
		if !gone {
			w.m.tell(ctx, swarm.Rejected{Peer: w.peer, Run: r.Run})
		}
	}
}

// failed leaves the origin alone for a while, and tells the user why, once.
func (w *webSource) failed(err error) {
	w.mu.Lock()
	w.fails++
	wait := webFirst << min(w.fails-1, 10)
	var status *origin.StatusError
	if errors.As(err, &status) {
		if status.Code < 500 && status.Code != 429 && status.Code != 408 {
			wait = webRefused << min(w.fails-1, 10)
		}
	}
	wait = min(wait, webMost)
	if status != nil {
		wait = max(wait, status.After)
	}
	w.until = time.Now().Add(wait)
	before := w.trouble
	w.trouble = fmt.Sprintf("%s %v", w.name(), err)
	tell := w.trouble != before
	trouble := w.trouble
	w.mu.Unlock()
	if tell {
		w.m.cfg.Log.Warn().Msgf("%s; it is asked again in %v", trouble, wait.Round(time.Second))
	}
}

// troubles is what is wrong with the origin, in words; empty: nothing.
func (w *webSource) troubles() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trouble
}
