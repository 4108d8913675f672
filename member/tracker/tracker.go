// Package tracker asks BitTorrent trackers who shares a composition: over HTTP and HTTPS (BEP 3,
// BEP 7, BEP 23, BEP 31) and over UDP (BEP 15). It knows neither members nor what becomes of the
// answers, and keeps no state between two questions but a UDP tracker's connection id.
package tracker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"orchestra/proto"
)

// An Event is why a member announces itself. The numbers are those of BEP 15.
type Event uint32

// The events; none is for those who announce themselves regularly.
const (
	None Event = iota
	Completed
	Started
	Stopped
)

// String is the name of the event in a query (BEP 3).
func (e Event) String() string { return [...]string{"", "completed", "started", "stopped"}[e&3] }

// An Announcement is what a member tells a tracker.
type Announcement struct {
	ID     [20]byte
	PeerID proto.PeerID
	Port   uint16 // on which it takes links
	Key    uint32 // by which it is known under another address
	Event  Event
	Want   int // how many others it wants to be told of

	Uploaded, Downloaded, Left int64  // bytes
	TrackerID                  string // of the last answer
}

// An Answer is what a tracker tells.
type Answer struct {
	Peers     []netip.AddrPort
	Interval  time.Duration // until the next announcement
	Least     time.Duration // between two announcements; 0: it does not say
	Warning   string        // for people; may hold anything
	TrackerID string
	Conducts  bool // it is an Orchestra conductor
}

// A RefusedError is the reason that a tracker gives for not taking an announcement. It may hold
// anything.
type RefusedError struct {
	Reason string
	// when it is worth another try (BEP 31); 0: it does not say; negative: never
	After time.Duration
}

func (e *RefusedError) Error() string { return fmt.Sprintf("it refused: %q", e.Reason) }

const (
	longest   = 1 << 20 // bytes of an answer
	mostPeers = 1000    // that one answer may tell of

	// Bounds of what a tracker may ask for.
	leastInterval   = 10 * time.Second
	mostInterval    = 2 * time.Hour
	defaultInterval = 30 * time.Minute

	redirects = 5
	patience  = 15 * time.Second // for an HTTP tracker
)

// A Client asks trackers. Its zero value is ready; the methods may be called from several
// goroutines.
type Client struct {
	Agent string // what this program calls itself

	once             sync.Once
	trackers, others *http.Client

	mu          sync.Mutex
	connections map[netip.AddrPort]connection // of UDP trackers
}

// Announce tells the tracker at a URL of http, https or udp of a member. The error tells why it
// cannot be asked; a *[RefusedError] is its own.
func (c *Client) Announce(ctx context.Context, address string, a Announcement) (Answer, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Answer{}, errors.New("its URL cannot be read")
	}
	var answer Answer
	switch u.Scheme {
	case "http", "https":
		answer, err = c.announceHTTP(ctx, u, a)
	case "udp":
		answer, err = c.announceUDP(ctx, u, a)
	default:
		return Answer{}, fmt.Errorf("trackers of %s are not spoken to", u.Scheme)
	}
	if err != nil {
		return Answer{}, err
	}
	if answer.Interval <= 0 {
		answer.Interval = defaultInterval
	}
	answer.Least = min(max(answer.Least, 0), mostInterval)
	answer.Interval = min(max(answer.Interval, answer.Least, leastInterval), mostInterval)
	return answer, nil
}

// add takes a peer into the answer, if it can be one.
func (a *Answer) add(at netip.AddrPort) {
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	if ip := at.Addr(); at.Port() == 0 || ip.IsUnspecified() || ip.IsMulticast() || len(a.Peers) >= mostPeers {
		return
	}
	a.Peers = append(a.Peers, at)
}

// addCompact takes in peers as BEP 23 and BEP 7 have them: addresses of so many bytes, each with
// its port.
func (a *Answer) addCompact(b []byte, size int) error {
	if len(b)%(size+2) != 0 {
		return errors.New("its list of peers is cut off")
	}
	for ; len(b) > 0; b = b[size+2:] {
		ip, _ := netip.AddrFromSlice(b[:size])
		a.add(netip.AddrPortFrom(ip, uint16(b[size])<<8|uint16(b[size+1])))
	}
	return nil
}

// allowed refuses addresses of this machine and of its links to whoever wrote the torrent, as far
// as what is asked for there is not a tracker's: so a torrent cannot have a member press buttons of
// other programs.
func allowed(isTracker bool, ip netip.Addr) error {
	if ip = ip.Unmap(); !isTracker && proto.IsPrivate(ip) {
		return errors.New("an address of this network, and its path is not that of a tracker (/announce)")
	}
	if ip.IsMulticast() || ip.IsUnspecified() {
		return errors.New("no host has this address")
	}
	return nil
}

// lookUp gives the addresses of a UDP tracker.
func lookUp(ctx context.Context, u *url.URL) ([]netip.AddrPort, error) {
	port, err := net.DefaultResolver.LookupPort(ctx, "udp", u.Port())
	if err != nil || port == 0 {
		return nil, errors.New("its URL has no port")
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return nil, err
	}
	var all []netip.AddrPort
	for _, ip := range ips {
		if allowed(true, ip) == nil {
			all = append(all, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
		}
	}
	if len(all) == 0 {
		return nil, errors.New("its name has no address")
	}
	return all, nil
}
