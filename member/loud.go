package member

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// loud is the hosts from which members were flooded with messages or content that are of no use.
// Links to there are listened to less for a while: who floods comes back at once, under other
// names. Others at the address, who do not flood, hardly notice.
type loud struct {
	mu    sync.Mutex
	until map[netip.Addr]time.Time // by network
}

const (
	loudFor  = 10 * time.Minute
	loudMost = 1000 // that are remembered
)

// note remembers a host, and reports whether that is new.
func (l *loud) note(addr netip.AddrPort, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.until == nil {
		l.until = map[netip.Addr]time.Time{}
	}
	host := network(addr.Addr())
	known := now.Before(l.until[host])
	if !known && len(l.until) >= loudMost {
		l.makeRoom(now)
	}
	l.until[host] = now.Add(loudFor)
	return !known
}

// is reports whether a host is remembered.
func (l *loud) is(addr netip.AddrPort, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Before(l.until[network(addr.Addr())])
}

// makeRoom forgets what is old, and one more if nothing is.
func (l *loud) makeRoom(now time.Time) {
	maps.DeleteFunc(l.until, func(_ netip.Addr, until time.Time) bool { return !now.Before(until) })
	for host := range l.until {
		if len(l.until) < loudMost {
			return
		}
		delete(l.until, host)
	}
}
