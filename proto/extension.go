package proto

import (
	"encoding/binary"
	"net/netip"

	"orchestra/proto/bencode"
)

// ExtHandshakeID is the Extended.ID of the extension handshake (BEP 10). An
// end that set the bit of BEP 10 in its handshake sends it right after:
//
//	key          value (bencoded in one dictionary)
//	m            dictionary: name of an extension to the id for it, 1 to 255; 0 switches it off
//	metadata_size  integer: bytes of the info dictionary, which the sender gives away (BEP 9)
//	orch_maxreq  integer: one request to the sender may ask for up to this many bytes
//	p            integer: the port on which the sender accepts members
//	reqq         integer: how many requests may wait at the sender
//	upload_only  integer: 1 if the sender wants nothing (BEP 21)
//	v            string: name and version of the sender
//	yourip       string: the address of the receiver as the sender sees it, 4 or 16 bytes
const ExtHandshakeID = 0

// Limits of an extension handshake.
const (
	MaxExtHandshake = 16 << 10 // bytes of its payload
	MaxVersion      = 128      // bytes of its version
	MaxReqq         = 1 << 16
)

// ExtHandshake is what a member says of itself in the extension handshake. The
// zero value of a field is that it was not said.
type ExtHandshake struct {
	Messages map[string]int // m: extension ids by name; 0 switches one off
	Version  string         // v: free text of a stranger, MaxVersion bytes at most
	Reqq     int            // requests that may wait at the sender, MaxReqq at most
	Port     int            // p: on which it accepts members
	// orch_maxreq: bytes one request may cover, Block to the constant MaxRequest
	MaxRequest int
	Metadata   int        // metadata_size: bytes of the info dictionary, MaxMetadata at most
	YourIP     netip.Addr // the receiver's address as the sender sees it
	UploadOnly bool       // it wants nothing (BEP 21)
}

// Append appends the payload of the Extended message with ExtHandshakeID to b.
// Of Messages, ids beyond 0 to 255 are left out.
func (h ExtHandshake) Append(b []byte) []byte {
	m := make(map[string]any, len(h.Messages))
	for name, id := range h.Messages {
		if id >= 0 && id <= 255 {
			m[name] = id
		}
	}
	dict := map[string]any{"m": m}
	for key, n := range map[string]int{
		"metadata_size": h.Metadata, "orch_maxreq": h.MaxRequest, "p": h.Port, "reqq": h.Reqq,
	} {
		if n > 0 {
			dict[key] = n
		}
	}
	if h.UploadOnly {
		dict["upload_only"] = 1
	}
	if h.Version != "" {
		dict["v"] = h.Version
	}
	if h.YourIP.IsValid() {
		dict["yourip"] = h.YourIP.Unmap().AsSlice()
	}
	out, err := bencode.Append(b, dict)
	if err != nil {
		panic(err) // these types can all be encoded
	}
	return out
}

// ParseExtHandshake decodes the payload of an Extended message with
// ExtHandshakeID. It has to be one bencoded dictionary of at most
// MaxExtHandshake bytes, its keys in any order; within it, what is unknown or
// makes no sense counts as not said, and numbers beyond a field's limit as the
// limit.
func ParseExtHandshake(payload []byte) (ExtHandshake, error) {
	if len(payload) > MaxExtHandshake {
		return ExtHandshake{}, malformed("an extension handshake of %d bytes, at most %d are taken", len(payload), MaxExtHandshake)
	}
	v, err := bencode.DecodeLoose(payload)
	if err != nil {
		return ExtHandshake{}, malformed("extension handshake: %w", err)
	}
	dict, ok := v.(map[string]any)
	if !ok {
		return ExtHandshake{}, malformed("an extension handshake that is no dictionary")
	}
	h := ExtHandshake{
		Reqq:       number(dict, "reqq", 1, MaxReqq),
		MaxRequest: number(dict, "orch_maxreq", Block, MaxRequest),
		UploadOnly: number(dict, "upload_only", 1, 1) == 1,
	}
	if n, _ := dict["metadata_size"].(int64); n > 0 && n <= MaxMetadata {
		h.Metadata = int(n)
	}
	if p, _ := dict["p"].(int64); p > 0 && p <= 65535 {
		h.Port = int(p)
	}
	if v, _ := dict["v"].(string); v != "" {
		h.Version = v[:min(len(v), MaxVersion)]
	}
	if ip, _ := dict["yourip"].(string); ip != "" {
		a, _ := netip.AddrFromSlice([]byte(ip))
		h.YourIP = a.Unmap()
	}
	m, _ := dict["m"].(map[string]any)
	for name, v := range m {
		if id, ok := v.(int64); ok && id >= 0 && id <= 255 {
			if h.Messages == nil {
				h.Messages = make(map[string]int)
			}
			h.Messages[name] = int(id)
		}
	}
	return h, nil
}

// number returns an integer of a dictionary, at most most; 0 if it is missing
// or less than least.
func number(dict map[string]any, key string, least, most int64) int {
	n, _ := dict[key].(int64)
	if n < least {
		return 0
	}
	return int(min(n, most))
}

// Names of the extended messages that members take, in ExtHandshake.Messages.
// The payload is a part, 4 bytes, but that of a dismissal is empty, those of
// ExtSpare and ExtRegroup are one byte, and those of ExtMetadata and ExtPeers are
// bencoded.
const (
	ExtDontHave = "lt_donthave" // BEP 54: the sender no longer has the part
	// what the receiver sent of the part, and said to have, did not verify
	ExtBad      = "orch_bad"
	ExtDismiss  = "orch_dismiss" // the sender no longer sends to the receiver before all others
	ExtSpare    = "orch_spare"   // whether the sender has nothing to do and could send more: 1 or 0
	ExtRegroup  = "orch_regroup" // what the sender says of forming a chain anew: a Regrouping
	ExtMetadata = "ut_metadata"  // BEP 9: a Metadata
	ExtPeers    = "ut_pex"       // BEP 11: a PeerExchange
)

// AppendPart appends the payload of an extended message that names a part.
func AppendPart(b []byte, part uint32) []byte { return binary.BigEndian.AppendUint32(b, part) }

// ParsePart reads the payload of an extended message that names a part.
func ParsePart(payload []byte) (uint32, error) {
	if len(payload) != 4 {
		return 0, malformed("%d bytes, expected the 4 of a part", len(payload))
	}
	return binary.BigEndian.Uint32(payload), nil
}

// AppendSpare appends the payload of ExtSpare to b.
func AppendSpare(b []byte, on bool) []byte {
	if on {
		return append(b, 1)
	}
	return append(b, 0)
}

// ParseSpare reads the payload of ExtSpare.
func ParseSpare(payload []byte) (on bool, err error) {
	if len(payload) != 1 || payload[0] > 1 {
		return false, malformed("a payload of %s that is neither 0 nor 1", ExtSpare)
	}
	return payload[0] == 1, nil
}

// A Regrouping is what is said of forming a chain anew that was given up.
type Regrouping uint8

const (
	RegroupWell    Regrouping = iota // the sender knows nothing against it any more
	RegroupAgainst                   // the sender knows why there should be no chain
	RegroupNow                       // all are to form one now, and to pass this on
)

// AppendRegroup appends the payload of ExtRegroup to b.
func AppendRegroup(b []byte, what Regrouping) []byte { return append(b, byte(what)) }

// ParseRegroup reads the payload of ExtRegroup.
func ParseRegroup(payload []byte) (Regrouping, error) {
	if len(payload) != 1 || Regrouping(payload[0]) > RegroupNow {
		return 0, malformed("a payload of %s that is none of 0, 1 and 2", ExtRegroup)
	}
	return Regrouping(payload[0]), nil
}
