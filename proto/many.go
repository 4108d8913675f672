package proto

import "encoding/binary"

// A member of many compositions has one connection to a conductor for all of
// them. Its handshake has zeros for the ID, and says that it knows channels. If
// the conductor's does too, each composition has a channel of its own, on which
// goes what goes over a connection for one composition: what the member says
// from its Announce on, and what the conductor says to it.
//
//	member                            conductor
//	orchestra handshake ──────────>                           (ID zeros)
//	                     <─────────   orchestra handshake
//	Open, Within ... ─────────────>                           (Announce, Named, Titled)
//	                     <─────────   Within ...              (Welcome, Listed, Joined, ...)
//	Shut ─────────────────────────>                           (that composition is let go)
//	                     <─────────   Shut                    (to each; or first, after Refused)
//	KeepAlive ────────────────────>                           (every 30 s, for all)
//	                     <─────────   KeepAlive
//
//	id  message    payload (bytes)
//	96  Open       channel 2, id 20, peer id 20
//	97  Within     channel 2, frame, the rest: id and payload of another message
//	98  Shut       channel 2
const (
	idOpen   = 96
	idWithin = 97
	idShut   = 98
)

// MaxChannels is how many channels one connection may have open.
const MaxChannels = 4096

// Messages of a connection for many compositions.
type (
	// Open opens a channel for a composition. It is a member's alone.
	Open struct {
		Channel uint16 // none that is open
		ID      [20]byte
		PeerID  PeerID
	}
	// Within is a message on a channel.
	Within struct {
		Channel uint16
		Frame   []byte // of the message, without its length; not empty. DecodeConductor reads it
	}
	// Shut ends a channel. Who is told so and did not say so answers with
	// Shut; the channel's number is free when both have said it.
	Shut struct{ Channel uint16 }
)

func (Open) message()   {}
func (Within) message() {}
func (Shut) message()   {}

func (m Open) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(append(b, idOpen), m.Channel)
	return append(append(b, m.ID[:]...), m.PeerID[:]...)
}

func (m Within) append(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(append(b, idWithin), m.Channel), m.Frame...)
}

func (m Shut) append(b []byte) []byte {
	return binary.BigEndian.AppendUint16(append(b, idShut), m.Channel)
}

// AppendWithin appends a message on a channel to b.
func AppendWithin(b []byte, channel uint16, m Message) []byte {
	frame := Append(nil, m)
	return Append(b, Within{channel, frame[lengthSize:]})
}

func (d *decoder) within() Message {
	m := Within{Channel: d.uint16("channel")}
	if d.err == nil && len(d.b) == 0 {
		d.fail("no message is in it")
		return m
	}
	m.Frame = append([]byte(nil), d.b...)
	d.b = nil
	return m
}

// SetChannels says that the sender knows Open, Within and Shut.
func (h *Handshake) SetChannels() { h.Reserved[channelsByte] |= channelsBit }

// Channels reports whether the sender knows Open, Within and Shut.
func (h Handshake) Channels() bool { return h.Reserved[channelsByte]&channelsBit != 0 }

const channelsByte, channelsBit = 7, 0x08
