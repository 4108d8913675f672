package proto

import "encoding/binary"

// maxFixed is the largest payload of a fixed-size message.
const maxFixed = 12

// fixedLen returns the length of a fixed-size message's payload.
func fixedLen(id byte) (n int, known bool) {
	switch id {
	case idChoke, idUnchoke, idInterested, idNotInterested, idHaveAll, idHaveNone:
		return 0, true
	case idPort:
		return 2, true
	case idHave, idSuggest, idAllowedFast:
		return 4, true
	case idRequest, idCancel, idReject:
		return maxFixed, true
	}
	return 0, false
}

// decodeFixed decodes a fixed-size message from the payload that b begins with.
func decodeFixed(id byte, b []byte) Message {
	number := func(i int) uint32 { return binary.BigEndian.Uint32(b[4*i:]) }
	switch id {
	case idChoke:
		return Choke{}
	case idUnchoke:
		return Unchoke{}
	case idInterested:
		return Interested{}
	case idNotInterested:
		return NotInterested{}
	case idHaveAll:
		return HaveAll{}
	case idHaveNone:
		return HaveNone{}
	case idPort:
		return Port{binary.BigEndian.Uint16(b)}
	case idHave:
		return Have{number(0)}
	case idSuggest:
		return Suggest{number(0)}
	case idAllowedFast:
		return AllowedFast{number(0)}
	case idRequest:
		return Request{number(0), number(1), number(2)}
	case idCancel:
		return Cancel{number(0), number(1), number(2)}
	case idReject:
		return Reject{number(0), number(1), number(2)}
	}
	return Unknown{id}
}
