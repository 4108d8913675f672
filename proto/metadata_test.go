package proto

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestMetadata(t *testing.T) {
	for _, test := range []struct {
		payload string
		want    Metadata
	}{
		{"d8:msg_typei0e5:piecei3ee", Metadata{Kind: MetadataRequest, Piece: 3}},
		{
			"d8:msg_typei1e5:piecei0e10:total_sizei9eeabcdefghi",
			Metadata{Kind: MetadataData, Total: 9, Data: []byte("abcdefghi")},
		},
		{"d8:msg_typei2e5:piecei0ee", Metadata{Kind: MetadataReject}},
	} {
		got, err := ParseMetadata([]byte(test.payload))
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q is %+v, %v; want %+v", test.payload, got, err, test.want)
		}
		if b := string(test.want.Append(nil)); b != test.payload {
			t.Errorf("%+v is encoded as %q, want %q", test.want, b, test.payload)
		}
	}
}

func TestMetadataOfOthers(t *testing.T) {
	// Keys in another order, numbers with zeros before them, and more than is known.
	got, err := ParseMetadata([]byte("d5:piecei01e8:msg_typei0e1:xlee" + "trailing"))
	if err != nil || got.Kind != MetadataRequest || got.Piece != 1 || got.Data != nil {
		t.Errorf("a request of another program is %+v, %v", got, err)
	}
	if _, err := ParseMetadata([]byte("d8:msg_typei9e5:piecei0ee")); !errors.Is(err, ErrMetadataKind) {
		t.Errorf("an unknown kind is %v", err)
	}
	for _, payload := range []string{
		"", "i1e", "de", "d8:msg_typei0ee", "d8:msg_typei0e5:piecei-1ee",
		"d8:msg_typei0e5:piecei99999999ee",
		"d8:msg_typei1e5:piecei0ee" + strings.Repeat("x", MetadataPiece+1),
	} {
		if got, err := ParseMetadata([]byte(payload)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.40q is %+v, %v", payload, got.Kind, err)
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte("d8:msg_typei0e5:piecei3ee"))
	f.Add([]byte("d8:msg_typei1e5:piecei0e10:total_sizei9eeabcdefghi"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := ParseMetadata(payload)
		if err != nil {
			return
		}
		again, err := ParseMetadata(m.Append(nil))
		if m.Kind == MetadataData && len(m.Data) == 0 {
			m.Data = again.Data
		}
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v comes back as %+v, %v", m, again, err)
		}
	})
}
