package member

import (
	"net"
	"testing"
	"time"

	"orchestra/member/link"
	"orchestra/proto"
)

// The info dictionary goes out no faster than the upload limit lets content go out.
func TestInfoKeepsToTheUploadLimit(t *testing.T) {
	const limit, pieces = 200 << 10, 5
	info := randomBytes(pieces * proto.MetadataPiece)
	l, far := pair(t, randomBytes(1), Config{UploadLimit: limit})
	l.m.description = description{
		size: func() int { return len(info) },
		info: func() []byte { return info },
	}
	l.terms.Metadata = 9
	l.up(0, false)
	ext := link.Offered()
	link.OfferMetadata(&ext, len(info))
	ended := make(chan error, 1)
	go func() { ended <- l.writeLoop(t.Context()) }()
	begun := time.Now()
	for piece := range pieces {
		request := proto.Metadata{Kind: proto.MetadataRequest, Piece: piece}
		msg := proto.Extended{ID: uint8(ext.Messages[proto.ExtMetadata]), Payload: request.Append(nil)}
		if _, err := l.hear(msg); err != nil {
			t.Fatal(err)
		}
	}
	in := proto.NewReader(far, proto.MaxFrame(1), readAhead)
	got := 0
	for got < len(info) {
		msg, err := in.Next()
		if err != nil {
			t.Fatal(err)
		}
		m, err := proto.ParseMetadata(msg.(proto.Extended).Payload)
		if err != nil || m.Kind != proto.MetadataData {
			t.Fatalf("%+v, %v", m, err)
		}
		got += len(m.Data)
	}
	atOnce := portion(l.m.upload)
	least := time.Duration(got-atOnce) * time.Second / limit
	if took := time.Since(begun); took < least*9/10 {
		t.Errorf("%d bytes went out in %v, at %d a second it takes %v", got, took, limit, least)
	}
	l.close(net.ErrClosed)
	<-ended
}
