package member

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
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

	wake     chan struct{} // of the workers: something is to be done
	received atomic.Int64  // payload bytes
	work     sync.WaitGroup

	mu       sync.Mutex // whoever holds it moves memory alone
	queue    []*webRun  // asked for, and not begun
	reading  []*webRun  // that a worker has
	rejected []swarm.Run
	ended    error
	stop     context.CancelCauseFunc
	state    webState
	lacks    map[int64]*webLack // files of a folder that it did not give, by where they begin
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

	// An origin that fails is left alone for webFirst, then twice as long each time, up to webMost;
	// one that says that it does not have what it is asked for, or does not give it, for longer.
	webFirst       = time.Second
	webMost        = time.Minute
	webRefused     = 15 * time.Second
	webRefusedMost = 5 * time.Minute
	// webAgain is how long an origin is left alone that the core has given up.
	webAgain = time.Minute
)

var errTakenBack = errors.New("the run was taken back")

// newWebSources describes the origins that the user names, and those of the composition unless they
// are not to be asked. A URL that is none is told, and left out.
func (m *Member) newWebSources() {
	if m.comp.Size == 0 {
		return
	}
	all := slices.Clone(m.cfg.Webseeds)
	if !m.cfg.NoWebseeds {
		all = append(all, m.comp.Webseeds()...)
	}
	for i, address := range all {
		if slices.Contains(all[:i], address) {
			continue
		}
		src, err := origin.New(origin.Config{
			URL: address, File: m.comp, Agent: agent(m.cfg.Version), Env: os.Getenv,
		})
		if err != nil {
			m.cfg.Log.Warn().Msgf("a web server is not asked: %v", err)
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
	w := &webSource{
		m: m, from: from, id: from.ID(), wake: make(chan struct{}, webWorkers),
		lacks: map[int64]*webLack{},
	}
	// No host has an address like that: it is of the network that stands for nowhere (RFC 6666).
	sum := sha256.Sum256(w.id[:])
	a := [16]byte{0x01}
	copy(a[2:], sum[:14])
	w.addr = netip.AddrPortFrom(netip.AddrFrom16(a), 0)
	return w
}

// name is how the user knows it.
func (w *webSource) name() string { return webName(w.from.Name()) }

// up gives it its number, and returns what the core is told of it.
func (w *webSource) up(peer int) swarm.Joined {
	w.peer = peer
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended, w.queue, w.reading, w.rejected = nil, nil, nil, nil
	w.state.lacked = 0
	for _, l := range w.lacks {
		l.now = nil
	}
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
	for i := range webWorkers {
		w.work.Go(func() { w.labour(ctx, own, i) })
	}
	w.work.Wait()
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
		if w.lacking(e.Run.Part) {
			return // the core hears of that, and takes it back
		}
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
