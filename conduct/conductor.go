// Package conduct is the conductor: it keeps the live list of which members
// share which composition, and tells members of each other. It never sees
// content, and has to know no composition beforehand. What it is given to
// publish (a Shelf), it also serves.
//
// The registry (registry.go and what its methods do beside: arrive.go, renew.go, leave.go,
// handout.go, guests.go, webguest.go, address.go, check.go, complain.go, copies.go, survey.go,
// title.go) is pure and decides everything; the shell around it does the I/O:
//
//	accept ─> connection: 1 reader + 1 writer ─┐
//	dial backs ────────────────────────────────┴─> one inbox ─> loop ─> registry ─> effects ─> performed
//
// The loop goroutine owns the registry. It never waits for a connection: what
// it has to say goes into an outbox, and who does not read it is cut.
package conduct

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"orchestra/conduct/page"
	"orchestra/orch"
	"orchestra/proto"
	"orchestra/proto/mtu"
	"orchestra/proto/secure"
)

// Config says how a conductor works. Its zero value is the default.
type Config struct {
	Listen string // HOST:PORT to listen on; "" is ":9999", port 0 any free one
	UDP    bool   // answer BitTorrent clients on that port over UDP too (BEP 15)
	// Allow reports whether a composition may gather here in the open; nil: any may. It is called
	// from many goroutines.
	Allow func(id orch.ID) bool

	// Keys are those of private swarms, whose members may gather here too, whatever Allow says.
	// They alone learn of each other, and of what is published for them ([orch.File.Private]).
	Keys []*secure.Key

	Publish *Shelf // what is served at /NAME.orch, and listed at IndexPath; nil: nothing
	Name    string // what this host is called in that list; "": the host's name

	MaxMembers    int // listed at a time, over all compositions; 0 is 65,536
	Peers         int // members told to a newcomer, 50 at most; 0 is 50
	MaxPerAddress int // members seen from one address (IPv6: one /64); 0 is 1,024

	// The page, for people with a browser.
	AdminListen string   // HOST:PORT where it is, with the metrics, instead of at Listen; "": there
	Version     string   // of the program, which the page shows
	PageHosts   []string // its names, beside addresses and names of the local network
	// what viewers have to show; "": nothing, but who is elsewhere sees no addresses
	PageToken string

	// Public returns HOST:PORT by which others reach this conductor, for the page to show. Nil is
	// Listen's, if that names a host.
	Public func() string

	Log zerolog.Logger // the zero Logger is silent

	HandshakeTimeout time.Duration // from accepting to the first announcement; 0 is 10 s
	// a member from which nothing came for so long is gone; 0 is 75 s
	SilenceTimeout time.Duration
	WriteTimeout   time.Duration // for 16 KiB to a member; 0 is 10 s
	DialTimeout    time.Duration // of a dial back; 0 is 5 s
	MaxDials       int           // dial backs at a time; 0 is 32
}

const (
	defaultMaxMembers    = 65536
	defaultMaxPerAddress = 1024
	maxPeers             = proto.MaxMembers // one frame
)

func (cfg Config) withDefaults() Config {
	if cfg.Listen == "" {
		cfg.Listen = fmt.Sprintf(":%d", orch.DefaultPort)
	}
	if cfg.Name == "" {
		if name, err := os.Hostname(); err == nil {
			cfg.Name = name
		}
	}
	if cfg.Peers <= 0 || cfg.Peers > maxPeers {
		cfg.Peers = maxPeers
	}
	for _, n := range []struct {
		field *int
		value int
	}{
		{&cfg.MaxMembers, defaultMaxMembers},
		{&cfg.MaxPerAddress, defaultMaxPerAddress},
		{&cfg.MaxDials, 32},
	} {
		if *n.field <= 0 {
			*n.field = n.value
		}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&cfg.HandshakeTimeout, proto.HandshakeTimeout},
		{&cfg.SilenceTimeout, proto.SilenceTimeout},
		{&cfg.WriteTimeout, 10 * time.Second},
		{&cfg.DialTimeout, 5 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return cfg
}

// ListenError tells that the conductor could not listen.
type ListenError struct {
	Addr  string
	Admin bool // it is Config.AdminListen
	Err   error
}

func (e *ListenError) Error() string {
	err := e.Err
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		err = op.Err // the address stands there already
	}
	return fmt.Sprintf("cannot listen on %s: %v", e.Addr, err)
}

// Unwrap returns the system's error.
func (e *ListenError) Unwrap() error { return e.Err }

// A Conductor listens from New until Run returns.
type Conductor struct {
	cfg  Config
	log  zerolog.Logger
	rare zerolog.Logger // the same, 10 lines a minute at most: for what strangers can cause
	news *news

	open       *realm   // of who has no key
	realms     []*realm // that one and those of the keys
	identities []*secure.Identity
	secured    atomic.Int64 // connections of who has a key

	ln    net.Listener
	inbox chan event
	gate  *gate
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	seat  func(from, local netip.AddrPort) seat

	lookUp func(ctx context.Context, network, host string) ([]netip.Addr, error)
	wg     sync.WaitGroup // every goroutine but Run's own

	desks   sync.Pool       // of *desk
	udp     *udpTracker     // nil: none
	http    *http.Server    // for guests, the page and what is published
	inside  *http.Server    // for the holders of a key
	running context.Context // Run's, for what net/http starts
	ended   chan struct{}   // closed when Run has ended

	admin    net.Listener // nil: the page is on the public port
	page     *page.Page
	notTaken atomic.Uint64 // members and clients of compositions that are not allowed
	since    time.Time     // when it was made
}

// New binds the address of the Config and returns a conductor that serves once
// Run is called. Members that connect before wait. One that is not to serve is
// closed by Run with a context that has ended. The error is a *ListenError, or
// says that there is no randomness.
func New(cfg Config) (*Conductor, error) {
	cfg = cfg.withDefaults()
	ln, err := mtu.Listen(cfg.Listen)
	if err != nil {
		return nil, &ListenError{Addr: cfg.Listen, Err: err}
	}
	c, err := newConductor(cfg, ln)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	if cfg.UDP {
		if err := c.listenUDP(); err != nil {
			return nil, errors.Join(err, ln.Close())
		}
	}
	if cfg.AdminListen != "" {
		if c.admin, err = mtu.Listen(cfg.AdminListen); err != nil {
			ln.Close()
			if c.udp != nil {
				c.udp.socket.Close()
			}
			return nil, &ListenError{Addr: cfg.AdminListen, Admin: true, Err: err}
		}
	}
	return c, nil
}

func newConductor(cfg Config, ln net.Listener) (*Conductor, error) {
	lim := limits{
		members: cfg.MaxMembers, perSource: cfg.MaxPerAddress, peers: cfg.Peers,
		dials: cfg.MaxDials, silence: cfg.SilenceTimeout,
	}
	c := &Conductor{
		cfg:   cfg,
		since: time.Now(),
		log:   cfg.Log,
		rare:  cfg.Log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Minute}),
		news:  newNews(cfg.Log),
		ln:    ln,
		inbox: make(chan event, 256),
		ended: make(chan struct{}),
		gate:  newGate(lim),
		dial:  new(net.Dialer).DialContext,
		seat:  newSeat,

		lookUp: net.DefaultResolver.LookupNetIP,
	}
	if err := c.makeRealms(lim); err != nil {
		return nil, err
	}
	c.page = page.New(page.Config{Look: c.lookForPage, Hosts: cfg.PageHosts, Token: cfg.PageToken})
	return c, nil
}

// Addr returns the address it listens on, with the real port.
func (c *Conductor) Addr() netip.AddrPort {
	a := c.ln.Addr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// PageAddr returns the address on which the page is, with the real port.
func (c *Conductor) PageAddr() netip.AddrPort {
	if c.admin == nil {
		return c.Addr()
	}
	a := addrPort(c.admin.Addr())
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Run serves until the context ends, then closes everything and returns nil.
// It returns an error only if it can accept no more. All its goroutines have
// ended when it returns. It is called once.
func (c *Conductor) Run(ctx context.Context) error {
	defer close(c.ended)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c.running, c.http, c.inside = ctx, c.newHTTP(), c.newInside()
	c.wg.Go(func() { c.page.Run(ctx) })
	if c.admin != nil {
		c.wg.Go(func() { c.serveAdmin(ctx) })
	}
	if c.udp != nil {
		c.wg.Go(func() { c.udp.run(ctx) })
	}
	stop := context.AfterFunc(ctx, func() { c.ln.Close() })
	defer stop()
	var err error
	c.wg.Go(func() {
		defer cancel()
		err = c.accept(ctx)
	})
	if c.cfg.Publish != nil {
		c.wg.Go(func() { c.cfg.Publish.watch(ctx) })
	}
	c.loop(ctx)
	c.wg.Wait()
	c.news.sum(time.Now().Add(newsPeriod)) // the last period is over
	c.ln.Close()                           // the AfterFunc may not have come to it yet
	return err
}

// accept takes connections until the listener is closed.
func (c *Conductor) accept(ctx context.Context) error {
	for {
		nc, err := c.ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				nc.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("listening on %s ended: %w", c.Addr(), err)
		case err != nil:
			// Out of file descriptors, or a connection that ended before it
			// was taken: the next one may do.
			c.rare.Warn().Err(err).Msg("cannot accept a connection")
			if outOfFiles(err) && c.gate.shed() {
				continue
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		s := c.seat(addrPort(nc.RemoteAddr()), addrPort(nc.LocalAddr()))
		place := c.gate.enter(s.from.Addr(), nc)
		if place == nil {
			c.news.turnedAway(s.from)
			nc.Close()
			continue
		}
		c.wg.Go(func() {
			defer place.leave()
			c.serve(ctx, nc, s, place)
		})
	}
}

// outOfFiles reports whether the system gives no more connections.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

func addrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort()
	}
	return netip.AddrPort{}
}
