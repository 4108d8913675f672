package proto

import (
	"fmt"

	"orchestra/proto/bencode"
)

// Block sizes and limits of the exchange of metadata (BEP 9): the info dictionary of a composition
// goes over in pieces of MetadataPiece bytes, of which the last may be shorter.
const (
	MetadataPiece = 16 << 10
	MaxMetadata   = 64 << 20 // bytes of an info dictionary
)

// A MetadataKind is what a Metadata message is.
type MetadataKind uint8

const (
	MetadataRequest MetadataKind = iota // asks for a piece
	MetadataData                        // has it
	MetadataReject                      // the sender does not send it
)

// Metadata is the payload of ExtMetadata (BEP 9): a bencoded dictionary, and behind it the piece,
// if it is one.
//
//	key         value
//	msg_type    integer: 0 asks for a piece, 1 is it, 2 rejects
//	piece       integer: which one, counted from 0
//	total_size  integer: bytes of the whole; with a piece alone
type Metadata struct {
	Kind  MetadataKind
	Piece int
	Total int    // of MetadataData; 0: it does not say
	Data  []byte // of MetadataData
}

// Append appends the payload to b.
func (m Metadata) Append(b []byte) []byte {
	dict := map[string]any{"msg_type": int(m.Kind), "piece": m.Piece}
	if m.Kind == MetadataData {
		dict["total_size"] = m.Total
	}
	out, err := bencode.Append(b, dict)
	if err != nil {
		panic(err) // these types can all be encoded
	}
	if m.Kind == MetadataData {
		out = append(out, m.Data...)
	}
	return out
}

// ParseMetadata decodes a payload. The keys may stand in any order. Data shares memory with it. A
// kind that is not known is an error of its own, [ErrMetadataKind], and is to be passed over.
func ParseMetadata(payload []byte) (Metadata, error) {
	v, rest, err := bencode.DecodePrefix(payload)
	if err != nil {
		return Metadata{}, malformed("%s: %w", ExtMetadata, err)
	}
	dict, _ := v.(map[string]any)
	kind, ok := dict["msg_type"].(int64)
	piece, isPiece := dict["piece"].(int64)
	switch {
	case !ok || !isPiece || piece < 0 || piece > MaxMetadata/MetadataPiece:
		return Metadata{}, malformed("%s that names no piece", ExtMetadata)
	case kind < 0 || kind > int64(MetadataReject):
		return Metadata{}, ErrMetadataKind
	}
	m := Metadata{Kind: MetadataKind(kind), Piece: int(piece)}
	if m.Kind == MetadataData {
		m.Total = number(dict, "total_size", 1, MaxMetadata+1)
		if m.Data = rest; len(rest) > MetadataPiece {
			return Metadata{}, malformed("%s with a piece of %d bytes", ExtMetadata, len(rest))
		}
	}
	return m, nil
}

// ErrMetadataKind is for a Metadata message of a kind that is not known.
var ErrMetadataKind = fmt.Errorf("%s of an unknown kind", ExtMetadata)
