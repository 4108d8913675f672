package link

import (
	"errors"

	"orchestra/proto"
)

// Who has a magnet link alone asks members for the info dictionary (BEP 9). It is sent piece by
// piece between what else is said, so that it holds up little, and a few times over one link at
// most: whoever cannot keep it gets it no more.

const (
	metadataTimes  = 3   // that the whole is sent over a link
	metadataQueued = 256 // pieces that may be asked for at a time
)

// metadata is what the peer asks for of the info dictionary.
type metadata struct {
	infoAsked []int // that wait to be sent
	infoSent  int   // pieces
}

// infoPieces is how many pieces the info dictionary has.
func (l *Link) infoPieces() int {
	if l.cfg.Info == nil {
		return 0
	}
	return (l.cfg.InfoSize + proto.MetadataPiece - 1) / proto.MetadataPiece
}

// hearMetadata takes in that a piece is asked for. Pieces that come unasked say nothing.
func (l *Link) hearMetadata(payload []byte) error {
	msg, err := proto.ParseMetadata(payload)
	switch {
	case errors.Is(err, proto.ErrMetadataKind):
		return nil
	case err != nil:
		return err
	case msg.Kind != proto.MetadataRequest:
		return nil
	}
	if l.cfg.Metadata == 0 {
		return nil // it takes no answer
	}
	all := l.infoPieces()
	if msg.Piece >= all || l.infoSent >= metadataTimes*all || len(l.infoAsked) >= metadataQueued {
		reject := proto.Metadata{Kind: proto.MetadataReject, Piece: msg.Piece}
		l.extend(l.cfg.Metadata, reject.Append(nil))
		return nil
	}
	l.infoAsked = append(l.infoAsked, msg.Piece)
	l.infoSent++
	return nil
}

// nextMetadata appends the next piece that was asked for to buf, and tells how many bytes of it are
// of the info dictionary.
func (l *Link) nextMetadata(buf []byte) (say []byte, n int) {
	piece := l.infoAsked[0]
	l.infoAsked = l.infoAsked[1:]
	info := l.cfg.Info()
	from := min(piece*proto.MetadataPiece, len(info))
	data := proto.Metadata{
		Kind: proto.MetadataData, Piece: piece, Total: len(info),
		Data: info[from:min(from+proto.MetadataPiece, len(info))],
	}
	msg := proto.Extended{ID: uint8(l.cfg.Metadata), Payload: data.Append(nil)}
	return proto.Append(buf, msg), len(data.Data)
}
