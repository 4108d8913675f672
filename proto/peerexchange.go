package proto

import (
	"encoding/binary"
	"net/netip"

	"orchestra/proto/bencode"
)

// MaxExchanged is how many peers one PeerExchange tells of at most, of those that came and of those
// that went, IPv4 and IPv6 together.
const MaxExchanged = 50

// Flags of peers.
const (
	PeerEncrypts  = 0x01 // it prefers encrypted connections
	PeerSeed      = 0x02 // it has everything
	PeerReachable = 0x10 // the sender dialled it
)

// PeerExchange is the payload of ExtPeers (BEP 11): who is connected to the sender since its last
// one, and who no longer is, in one bencoded dictionary.
//
//	key              value
//	added, added6    string: addresses with their ports, of 6 or 18 bytes each
//	added.f, added6.f  string: the flags of each of them
//	dropped, dropped6  string: as added
type PeerExchange struct {
	Added   []netip.AddrPort
	Flags   []byte // of those added, one each; may be shorter
	Dropped []netip.AddrPort
}

// Append appends the payload to b.
func (p PeerExchange) Append(b []byte) []byte {
	var added, flags, added6, flags6, dropped, dropped6 []byte
	for i, a := range p.Added {
		var flag byte
		if i < len(p.Flags) {
			flag = p.Flags[i]
		}
		if a.Addr().Is4() {
			added, flags = appendCompact(added, a), append(flags, flag)
		} else {
			added6, flags6 = appendCompact(added6, a), append(flags6, flag)
		}
	}
	for _, a := range p.Dropped {
		if a.Addr().Is4() {
			dropped = appendCompact(dropped, a)
		} else {
			dropped6 = appendCompact(dropped6, a)
		}
	}
	out, err := bencode.Append(b, map[string]any{
		"added": added, "added.f": flags, "added6": added6, "added6.f": flags6,
		"dropped": dropped, "dropped6": dropped6,
	})
	if err != nil {
		panic(err) // these types can all be encoded
	}
	return out
}

// ParsePeerExchange decodes a payload. What is beyond MaxExchanged is left out, and so is an
// address that no host can have. Flags has one for each of those added.
func ParsePeerExchange(payload []byte) (PeerExchange, error) {
	v, err := bencode.DecodeLoose(payload)
	if err != nil {
		return PeerExchange{}, malformed("%s: %w", ExtPeers, err)
	}
	dict, ok := v.(map[string]any)
	if !ok {
		return PeerExchange{}, malformed("%s that is no dictionary", ExtPeers)
	}
	var p PeerExchange
	for _, kind := range []struct {
		suffix string
		size   int
	}{{"", 4}, {"6", 16}} {
		flags, _ := dict["added"+kind.suffix+".f"].(string)
		added, _ := dict["added"+kind.suffix].(string)
		dropped, _ := dict["dropped"+kind.suffix].(string)
		eachCompact(added, kind.size, func(i int, a netip.AddrPort) {
			if len(p.Added) < MaxExchanged {
				var flag byte
				if i < len(flags) {
					flag = flags[i]
				}
				p.Added, p.Flags = append(p.Added, a), append(p.Flags, flag)
			}
		})
		eachCompact(dropped, kind.size, func(_ int, a netip.AddrPort) {
			if len(p.Dropped) < MaxExchanged {
				p.Dropped = append(p.Dropped, a)
			}
		})
	}
	return p, nil
}

// appendCompact appends an address as BEP 23 and BEP 7 have it.
func appendCompact(b []byte, a netip.AddrPort) []byte {
	b = append(b, a.Addr().AsSlice()...)
	return binary.BigEndian.AppendUint16(b, a.Port())
}

// eachCompact reads addresses of so many bytes, each with its port. What is cut off at the end is
// none, and one that nobody can be reached at is passed over.
func eachCompact(s string, size int, take func(i int, a netip.AddrPort)) {
	for i := 0; len(s) >= size+2; i, s = i+1, s[size+2:] {
		ip, _ := netip.AddrFromSlice([]byte(s[:size]))
		a := netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16([]byte(s[size:size+2])))
		if ip = a.Addr(); a.Port() > 0 && !ip.IsUnspecified() && !ip.IsMulticast() {
			take(i, a)
		}
	}
}
