package link

import (
	"bytes"
	"testing"

	"orchestra/proto"
)

// describer is a link to a client that takes pieces of an info dictionary, of so many bytes.
func describer(size int) (l *Link, info []byte) {
	info = make([]byte, size)
	for i := range info {
		info[i] = byte(i / 7)
	}
	terms := NewTerms(true)
	terms.Take(proto.ExtHandshake{Messages: map[string]int{proto.ExtMetadata: 9}}, 1<<20)
	return New(Config{
		Size: 1 << 20, PartSize: 1 << 20, Terms: terms, InfoSize: size,
		Info: func() []byte { return info },
	}), info
}

func (l *Link) asks(t *testing.T, piece int) {
	t.Helper()
	request := proto.Metadata{Kind: proto.MetadataRequest, Piece: piece}
	if _, err := l.Hear(0, proto.Extended{ID: metadataID, Payload: request.Append(nil)}); err != nil {
		t.Fatal(err)
	}
}

// describes gives what goes out of the info dictionary.
func (l *Link) describes(t *testing.T) (list []proto.Metadata) {
	t.Helper()
	for l.Pending() {
		e := l.next()
		given := e.Given
		for _, msg := range l.messages(e.Text()) {
			ext, ok := msg.(proto.Extended)
			if !ok || ext.ID != 9 {
				t.Fatalf("it says %v", msg)
			}
			m, err := proto.ParseMetadata(ext.Payload)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, m)
			given -= len(m.Data)
		}
		if given != 0 {
			t.Errorf("%d bytes more are counted than are sent", given)
		}
	}
	return list
}

// Who takes no more of it is sent none.
func TestMetadataIsSwitchedOff(t *testing.T) {
	l, _ := describer(2 * proto.MetadataPiece)
	l.asks(t, 0)
	off := proto.ExtHandshake{Messages: map[string]int{proto.ExtMetadata: 0}}
	if _, err := l.Hear(0, proto.Extended{Payload: off.Append(nil)}); err != nil {
		t.Fatal(err)
	}
	l.asks(t, 1)
	if got := l.describes(t); len(got) != 0 {
		t.Errorf("%d pieces come", len(got))
	}
}

func TestMetadataIsSent(t *testing.T) {
	l, info := describer(2*proto.MetadataPiece + 5)
	for _, piece := range []int{2, 0, 1} {
		l.asks(t, piece)
	}
	got := l.describes(t)
	if len(got) != 3 || got[0].Piece != 2 || got[1].Piece != 0 || got[2].Piece != 1 {
		t.Fatalf("%d pieces come", len(got))
	}
	whole := bytes.Join([][]byte{got[1].Data, got[2].Data, got[0].Data}, nil)
	if !bytes.Equal(whole, info) || got[0].Total != len(info) {
		t.Errorf("%d bytes come of %d, as it says", len(whole), got[0].Total)
	}
}

// Metadata goes out between what else is said, not all at once.
func TestMetadataComesByPieces(t *testing.T) {
	l, _ := describer(5 * proto.MetadataPiece)
	for piece := range 5 {
		l.asks(t, piece)
	}
	for range 5 {
		if n := len(l.next().Text()); n < proto.MetadataPiece || n > proto.MetadataPiece+100 {
			t.Errorf("%d bytes go out together", n)
		}
	}
	if l.Pending() {
		t.Error("there is more")
	}
}

func TestMetadataIsRefused(t *testing.T) {
	for name, ask := range map[string]func(l *Link){
		"beyond the end": func(l *Link) { l.asks(t, 2) },
		"of none":        func(l *Link) { l.cfg.Info = nil; l.asks(t, 0) },
		"without end": func(l *Link) {
			for range metadataTimes {
				l.asks(t, 0)
				l.asks(t, 1)
				if got := l.describes(t); len(got) != 2 || got[0].Kind != proto.MetadataData {
					t.Errorf("without end: %d are sent", len(got))
				}
			}
			l.asks(t, 0)
		},
		"many at a time": func(l *Link) {
			l.cfg.InfoSize = metadataQueued * proto.MetadataPiece
			for range metadataQueued + 1 {
				l.asks(t, 0)
			}
			if len(l.infoAsked) != metadataQueued {
				t.Errorf("many at a time: %d wait", len(l.infoAsked))
			}
			l.infoAsked = nil
		},
	} {
		l, _ := describer(2 * proto.MetadataPiece)
		ask(l)
		got := l.describes(t)
		if len(got) != 1 || got[0].Kind != proto.MetadataReject {
			t.Errorf("%s: %d answers come", name, len(got))
		}
	}
}
