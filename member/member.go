package member

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"orchestra/member/intake"
	"orchestra/member/store"
	"orchestra/member/swarm"
	"orchestra/orch"
	"orchestra/proto"
	"orchestra/proto/secure"
)

// Member is one member of one composition.
type Member struct {
	cfg  Config
	comp *orch.File
	id   orch.ID
	self proto.PeerID
	// in a private swarm, by which self is proven; nil: the swarm is open
	identity   *secure.Identity
	key        [16]byte
	conductors []string
	trackers   [][]string    // URLs, by tier
	named      []*named      // members that the user named
	origins    []*webSource  // web servers that have the content
	place      [8]byte       // of this copy, see place
	complete   chan struct{} // closed when the content has its name

	description description
	closed      bool // others are found by way of trackers and conductors alone, or have a key

	store   *store.Store
	skip    []byte // a bit for each part that is not wanted
	parts   int    // that are wanted
	bytes   int64  // of these parts
	watcher *watcher

	host     *Host // what follows is the host's
	own      bool  // it has no other member
	addr     netip.AddrPort
	machine  *machine
	scarcity *scarcity

	start  time.Time // of Run; the core and the links count from it
	inbox  chan event
	ended  chan struct{} // closed when Run has ended all but the store
	intake *intake.Pipe

	run    chan struct{} // closed when Run has ended
	result error         // of it, by then

	upload, download   *rate.Limiter // nil: no limit
	uploaded, received atomic.Int64
	unchained          atomic.Bool // several peers send to this member and are sent to at once
	// of the line towards this member, for each peer that sends, in bytes a second; 0: unknown
	share atomic.Int64
	// of what was received: came after it was taken back, or never became a whole run
	unused atomic.Int64

	complaints []chan proto.Complain // by conductor

	mu       sync.Mutex
	progress Progress
	states   []conductorState // by conductor
}

// New opens the content, takes its lock and listens. A member that is not to run is closed by Run
// with a context that has ended. Errors: those of [store.Open], *[ListenError], *[KeyError],
// *[orch.ParseError] for a File that is not valid, and what is wrong with an address of the Config.
func New(cfg Config) (*Member, error) {
	m, err := newMember(cfg, func(m *Member) error {
		host, err := NewHost(HostConfig{
			Listen: cfg.Listen, UploadLimit: cfg.UploadLimit, DownloadLimit: cfg.DownloadLimit,
			Log: cfg.Log,
		})
		if err != nil {
			return err
		}
		host.places.most = 0 // the core bounds them
		m.own = true
		return host.take(m)
	})
	return m, err
}

// newMember opens the content, and lets join give the member a host.
func newMember(cfg Config, join func(*Member) error) (*Member, error) {
	if cfg.File == nil {
		return nil, errors.New("the member has no composition: its Config has no File")
	}
	if err := cfg.File.Validate(); err != nil {
		return nil, err
	}
	if want := cfg.File.Private(); want == "" && cfg.Key != nil || want != "" && (cfg.Key == nil || cfg.Key.ID() != want) {
		return nil, &KeyError{want, cfg.Key}
	}
	m := &Member{
		cfg: cfg, comp: cfg.File, id: cfg.File.ID(), conductors: slices.Clone(cfg.Conductors),
		inbox:    make(chan event, 1024),
		ended:    make(chan struct{}),
		complete: make(chan struct{}),
		run:      make(chan struct{}),

		closed: cfg.File.TrackersOnly() || cfg.Key != nil,
	}
	m.description = newDescription(cfg.File, m.closed)
	m.cfg.MaxPeers = max(cfg.MaxPeers, 0)
	var err error
	if m.conductors == nil {
		if m.conductors, err = cfg.File.Conductors(); err != nil {
			return nil, err
		}
	}
	for i, address := range m.conductors {
		if m.conductors[i], err = orch.ReadConductor(address); err != nil {
			return nil, err
		}
	}
	for _, peer := range cfg.Peers {
		m.named = append(m.named, newNamed(peer))
	}
	if cfg.Key == nil { // a tracker would tell anybody who the members of a private swarm are
		m.trackers = cfg.File.Trackers()
	}
	m.states = make([]conductorState, len(m.conductors)+len(m.trackers))
	for range m.conductors {
		m.complaints = append(m.complaints, make(chan proto.Complain, maxComplaints))
	}
	if m.self, err = proto.NewPeerID(rand.Reader); err != nil {
		return nil, err
	}
	rand.Read(m.key[:])
	m.introduce()
	m.newWebSources()
	chosen, err := store.Select(cfg.File, cfg.Only, cfg.Except, cfg.Files...)
	if err != nil {
		return nil, err
	}
	m.skip, m.parts, m.bytes = chosen.Skip(cfg.File)
	m.store, err = store.Open(store.Config{
		File: cfg.File, ID: m.id, Dir: cfg.Dir, Repair: cfg.Repair, Replace: cfg.Replace, Select: chosen,
		NoTimes: cfg.NoTimes, Check: cfg.Check, Records: cfg.Records,
	})
	if err != nil {
		return nil, err
	}
	m.tellOfFolder()
	if err := join(m); err != nil {
		m.store.Close()
		return nil, err
	}
	m.intake = m.newIntake()
	m.watcher = newWatcher(m)
	resumed := m.resumed()
	m.publish(swarm.Stats{Missing: m.parts - resumed}, func(p *Progress) {
		p.Checking, p.Resumed = m.store.Unchecked(), resumed
	})
	return m, nil
}

// tellOfFolder says, in a line each, what of a folder is not as composed and what else is in it.
func (m *Member) tellOfFolder() {
	warn := func(paths []string, single, several string) {
		switch len(paths) {
		case 0:
		case 1:
			m.cfg.Log.Warn().Msgf("%s in %s "+single, paths[0], m.store.Path())
		default:
			m.cfg.Log.Warn().
				Msgf("%d files in %s "+several+" (%s)", len(paths), m.store.Path(), firstOf(paths))
		}
	}
	if m.cfg.Repair {
		warn(m.store.Linked(), "is reached by a symbolic link; what it leads to is not repaired",
			"are reached by symbolic links; what they lead to is not repaired")
	}
	warn(m.store.Flaws(), "is missing or has another size; join --repair gets it anew",
		"are missing or have another size; join --repair gets them anew")
	warn(m.store.Extra(), "is not of the composition, and is left alone",
		"are not of the composition, and are left alone")
}

// firstOf lists paths, not all of very many.
func firstOf(paths []string) string {
	const most = 10
	if len(paths) > most {
		return strings.Join(paths[:most], ", ") + ", ..."
	}
	return strings.Join(paths, ", ")
}

// tellLacks says which links and times the content is without.
func (m *Member) tellLacks() {
	const most = 10
	lacks := m.store.Lacks()
	for _, text := range lacks[:min(len(lacks), most)] {
		m.cfg.Log.Warn().Msg(text)
	}
	if n := len(lacks); n > most {
		m.cfg.Log.Warn().Int("more", n-most).Msg("more links and times could not be made or set")
	}
}

// Wait waits until Run has ended, and returns what it did.
func (m *Member) Wait() error {
	<-m.run
	return m.result
}

// Addr is where the member listens.
func (m *Member) Addr() netip.AddrPort { return m.addr }

// Progress returns how far the member is. It may be called from any goroutine.
func (m *Member) Progress() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.progress
	p.Origins = m.originsNow()
	return p
}

// update changes the snapshot that Progress returns.
func (m *Member) update(f func(p *Progress)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.progress)
}

// publish puts the core's counts into the snapshot, and what f changes, if it is not nil.
func (m *Member) publish(st swarm.Stats, f func(p *Progress)) {
	m.intake.Lacks(st.Missing)
	m.update(func(p *Progress) {
		p.Parts, p.PartsDone = m.parts, m.parts-st.Missing
		p.Bytes, p.BytesDone = m.bytes, st.BytesGot
		p.Stored = st.Have
		p.Downloaded, p.Uploaded = m.received.Load(), m.uploaded.Load()
		p.Wasted = st.Duplicate + st.Failed + m.unused.Load()
		p.Members, p.Known = st.Links, st.Known
		p.Dialled = p.Dialled || st.Incoming > 0
		p.Path = m.store.Path()
		if f != nil {
			f(p)
		}
	})
}

// resumed is how many parts that are wanted were known to be here when the content was opened.
func (m *Member) resumed() (count int) {
	known := m.store.Known()
	if m.store.Fresh() || known == nil {
		return 0
	}
	for part := range uint32(m.comp.NumParts()) {
		if known[part>>3]&(0x80>>(part&7)) != 0 && m.wants(part) {
			count++
		}
	}
	return count
}

// wants tells whether a part has something of what was chosen.
func (m *Member) wants(part uint32) bool {
	return m.skip == nil || m.skip[part>>3]&(0x80>>(part&7)) == 0
}

// now is the time since Run began.
func (m *Member) now() time.Duration { return time.Since(m.start) }

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
