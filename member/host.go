package member

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"orchestra/member/intake"
	"orchestra/member/swarm"
	"orchestra/orch"
	"orchestra/proto/mse"
	"orchestra/proto/secure"
)

// HostConfig says what the members of a [Host] share. Its zero value is the default.
type HostConfig struct {
	Listen string // ADDR:PORT, or :PORT; the first free port from 10001 to 10020, or any

	UploadLimit, DownloadLimit int64 // bytes a second, all members together; 0: none

	// MaxLinks is how many links there are at most, of all members together; 0: a quarter of the
	// descriptors that the process may have open.
	MaxLinks int

	Log zerolog.Logger // of what no member has to do with; the zero Logger is silent
}

// A Host is what the members of one process share: one address, limits and buffers, one connection
// to each conductor, one look at the files now and then. Each member keeps its own core and its own
// content, and what ends one ends no other. A member of its own ([New]) has a Host to itself.
type Host struct {
	cfg      HostConfig
	listener *net.TCPListener
	addr     netip.AddrPort
	machine  *machine
	scarcity scarcity
	places   places
	loud     loud
	buffers  *intake.Buffers
	trunks   trunks
	ways     ways
	checks   chan struct{} // has room for as many checks as run side by side

	upload, download *rate.Limiter // nil: no limit

	encrypted     *rate.Limiter // of encrypted handshakes that others begin
	encryptedOnly encryptedOnly

	ctx  context.Context // of what members share; ends with Run
	end  context.CancelFunc
	work sync.WaitGroup // the members that were joined

	mu      sync.Mutex
	members map[orch.ID]*Member  // by composition, from Join or New on
	served  map[orch.ID]bool     // those that may be found
	names   map[[20]byte]orch.ID // of those without a key, in encrypted handshakes
	watched []*watcher           // those that run
	turn    int                  // the next one of them that is looked at
	proving proving

	identities []*secure.Identity // who the members of private swarms are: one for each key
}

// checksAtOnce is how many members check their content side by side. Each check uses all cores, so
// more would only be in each other's way; but not all are to wait for one slow disk.
const checksAtOnce = 4

// NewHost listens. A Host that is not to run is closed by Run with a context that has ended. The
// error is a *[ListenError].
func NewHost(cfg HostConfig) (*Host, error) {
	if cfg.MaxLinks <= 0 {
		cfg.MaxLinks = max(descriptors()/4, leastLinks)
	}
	h := &Host{
		cfg:      cfg,
		places:   places{most: cfg.MaxLinks},
		buffers:  intake.NewBuffers(),
		checks:   make(chan struct{}, checksAtOnce),
		upload:   limiter(cfg.UploadLimit),
		download: limiter(cfg.DownloadLimit),
		members:  map[orch.ID]*Member{},
		served:   map[orch.ID]bool{},
		names:    map[[20]byte]orch.ID{},

		encrypted: newEncryptedLimit(),
	}
	var err error
	if h.listener, err = listen(cfg.Listen); err != nil {
		return nil, err
	}
	h.addr = unmap(h.listener.Addr().(*net.TCPAddr).AddrPort())
	h.machine = newMachine()
	h.ctx, h.end = context.WithCancel(context.Background())
	return h, nil
}

// Addr is where the host listens.
func (h *Host) Addr() netip.AddrPort { return h.addr }

// Run serves the members that are joined until ctx ends, which is no error. All that was started,
// the members included, has ended when it returns; a Host runs once.
func (h *Host) Run(ctx context.Context) error {
	var work sync.WaitGroup
	work.Go(func() { h.accept(ctx) })
	work.Go(func() { h.watchMachine(ctx) })
	work.Go(func() { h.look(ctx) })
	<-ctx.Done()
	h.end()
	h.listener.Close()
	work.Wait()
	h.work.Wait()
	h.trunks.wait()
	return nil
}

// Join opens the content of a composition and gets and shares it until ctx ends, or Run's, or it
// cannot go on; [Member.Wait] tells how it ended. Listen and the limits of cfg have no meaning
// here. Errors: those of [New] but *[ListenError], and *[JoinedError].
func (h *Host) Join(ctx context.Context, cfg Config) (*Member, error) {
	m, err := newMember(cfg, func(m *Member) error { return h.take(m) })
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(h.ctx, cancel)
	h.work.Go(func() {
		defer cancel()
		defer stop()
		_ = m.Run(ctx) // Wait tells it
	})
	return m, nil
}

// JoinedError tells that a composition is joined already.
type JoinedError struct{ ID orch.ID }

func (e *JoinedError) Error() string {
	return fmt.Sprintf("its content is what another .orch file here describes too (%s)", e.ID)
}

// take gives a member what it shares with the others, unless its composition has one.
func (h *Host) take(m *Member) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.members[m.id] != nil {
		return &JoinedError{m.id}
	}
	if m.cfg.Key != nil {
		identity, err := h.identify(m.cfg.Key)
		if err != nil {
			return err
		}
		m.identity, m.self = identity, identity.PeerID()
	}
	h.members[m.id] = m
	m.host, m.addr, m.machine, m.scarcity = h, h.addr, h.machine, &h.scarcity
	m.upload, m.download = h.upload, h.download
	return nil
}

// leave takes a member out that has ended.
func (h *Host) leave(m *Member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.members, m.id)
}

// serve lets a member be found until the function that it returns is called.
func (h *Host) serve(m *Member) (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.served[m.id] = true
	name := mse.Name(m.id)
	if m.cfg.Key == nil {
		h.names[name] = m.id
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.served, m.id)
		delete(h.names, name)
	}
}

// find returns the member of a composition; nil if there is none that may be found by who has this
// key, or none.
func (h *Host) find(id orch.ID, key *secure.Key) *Member {
	h.mu.Lock()
	defer h.mu.Unlock()
	if m := h.members[id]; h.served[id] && m.cfg.Key.Is(key) {
		return m
	}
	return nil
}

// serving lists the members that may be found.
func (h *Host) serving() []*Member {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]*Member, 0, len(h.served))
	for id := range maps.Keys(h.served) {
		all = append(all, h.members[id])
	}
	return all
}

// check runs a check when there is room for one.
func (h *Host) check(ctx context.Context, check func() error) error {
	select {
	case h.checks <- struct{}{}:
		defer func() { <-h.checks }()
		return check()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stranger tells those to whom nothing comes of somebody who speaks no handshake: it may be whom
// they wait for.
func (h *Host) stranger(ctx context.Context, ev swarm.Stranger) {
	for _, m := range h.serving() {
		if p := m.Progress(); !p.Complete && p.Members == 0 {
			m.tell(ctx, ev)
		}
	}
}

// watchMachine tells the members and the conductors when the machine's addresses change.
func (h *Host) watchMachine(ctx context.Context) {
	tick := time.NewTicker(lookAtCards)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		h.ways.sweep(time.Now())
		before, _ := h.machine.now()
		now := machineAddrs()
		if !h.machine.set(now) {
			continue
		}
		h.cfg.Log.Debug().Msg("the addresses of this machine changed")
		for _, m := range h.serving() {
			if !m.tell(ctx, moved{before, now}) {
				return
			}
		}
	}
}

// watch has the content of a member looked at until the function that it returns is called.
func (h *Host) watch(w *watcher) (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watched = append(h.watched, w)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if i := slices.Index(h.watched, w); i >= 0 {
			h.watched = slices.Delete(h.watched, i, i+1)
		}
	}
}

// look has the content of the members looked at, watchMost files each second, until ctx ends.
func (h *Host) look(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for w, files := range h.due() {
			w.due(files)
		}
		h.prove(time.Now())
	}
}

// due returns whose files are looked at now, and how many of each: all in turn.
func (h *Host) due() map[*watcher]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	due := map[*watcher]int{}
	for left := watchMost; left > 0 && len(due) < len(h.watched); h.turn++ {
		h.turn %= len(h.watched)
		w := h.watched[h.turn]
		n := min(w.files(), left)
		due[w] = n
		left -= max(n, 1)
	}
	return due
}
