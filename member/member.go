package member

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"golang.org/x/time/rate"

	"orchestra/member/store"
	"orchestra/member/swarm"
	"orchestra/orch"
	"orchestra/proto"
)

// Member is one member of one composition.
type Member struct {
	cfg        Config
	comp       *orch.File
	id         orch.ID
	self       proto.PeerID
	key        [16]byte
	conductors []string
	place      [8]byte       // of this copy, see place
	complete   chan struct{} // closed when the content has its name

	store    *store.Store
	listener *net.TCPListener
	addr     netip.AddrPort

	inbox   chan event
	buffers *buffers
	writes  chan *inbound

	upload, download   *rate.Limiter // nil: no limit
	uploaded, received atomic.Int64
	conductorsUp       atomic.Int32

	mu       sync.Mutex
	progress Progress
}

// New opens the content, takes its lock and listens. Errors: those of [store.Open], *[ListenError], those of the file's own checks.
func New(cfg Config) (*Member, error) {
	if err := cfg.File.Validate(); err != nil {
		return nil, err
	}
	m := &Member{
		cfg: cfg, comp: cfg.File, id: cfg.File.ID(), conductors: cfg.Conductors,
		inbox:    make(chan event, 1024),
		complete: make(chan struct{}),
		buffers:  newBuffers(),
		writes:   make(chan *inbound, 4*bufferCount),
		upload:   limiter(cfg.UploadLimit),
		download: limiter(cfg.DownloadLimit),
	}
	var err error
	if m.conductors == nil {
		if m.conductors, err = cfg.File.Conductors(); err != nil {
			return nil, err
		}
	}
	if m.self, err = proto.NewPeerID(rand.Reader); err != nil {
		return nil, err
	}
	rand.Read(m.key[:])
	m.introduce()
	if m.store, err = store.Open(store.Config{File: cfg.File, Dir: cfg.Dir, Repair: cfg.Repair, Replace: cfg.Replace}); err != nil {
		return nil, err
	}
	if m.listener, err = listen(cfg.Listen); err != nil {
		m.store.Close()
		return nil, err
	}
	m.addr = unmap(m.listener.Addr().(*net.TCPAddr).AddrPort())
	m.publish(swarm.Stats{})
	return m, nil
}

// Addr is where the member listens.
func (m *Member) Addr() netip.AddrPort { return m.addr }

// Progress returns how far the member is. It may be called from any goroutine.
func (m *Member) Progress() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.progress
}

// update changes the snapshot that Progress returns.
func (m *Member) update(f func(p *Progress)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.progress)
}

// publish puts the core's counts into the snapshot.
func (m *Member) publish(st swarm.Stats) {
	m.update(func(p *Progress) {
		p.Parts, p.PartsDone = m.comp.NumParts(), st.Have
		p.Bytes, p.BytesDone = m.comp.Size, st.BytesHave
		p.Downloaded, p.Uploaded = m.received.Load(), m.uploaded.Load()
		p.Wasted = st.Duplicate + st.Failed
		p.Members, p.Known = st.Links, st.Known
		p.Dialled = st.Incoming > 0
		p.Path = m.store.Path()
	})
}

func (m *Member) tell(ctx context.Context, ev event) bool {
	select {
	case m.inbox <- ev:
		return true
	case <-ctx.Done():
		return false
	}
}

func seed() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
