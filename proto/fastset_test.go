package proto_test

import (
	"net/netip"
	"slices"
	"testing"

	"orchestra/proto"
)

// The first two are those that BEP 6 gives.
func TestFastSet(t *testing.T) {
	var id [20]byte
	for i := range id {
		id[i] = 0xaa
	}
	bep := []uint32{1059, 431, 808, 1217, 287, 376, 1188, 353, 508}
	for _, test := range []struct {
		at    string
		parts uint32
		size  int
		want  []uint32
	}{
		{"80.4.4.200", 1313, 7, bep[:7]},
		{"80.4.4.200", 1313, 9, bep},
		{"80.4.4.1", 1313, 9, bep}, // of the same network
		{"::ffff:80.4.4.200", 1313, 9, bep},
		{"80.4.5.200", 1313, 0, nil},
		{"80.4.4.200", 0, 7, nil},
		{"2001:db8::1", 1313, 7, nil},
		{"80.4.4.200", 1, 7, []uint32{0}},
	} {
		got := proto.FastSet(netip.MustParseAddr(test.at), id, test.parts, test.size)
		if !slices.Equal(got, test.want) {
			t.Errorf("%d of %d parts at %s: %v, want %v", test.size, test.parts, test.at, got, test.want)
		}
	}
	other := proto.FastSet(netip.MustParseAddr("80.4.5.200"), id, 1313, 9)
	if len(other) != 9 || slices.Equal(other, bep) {
		t.Errorf("another network has %v", other)
	}
	all := proto.FastSet(netip.MustParseAddr("80.4.4.200"), id, 5, proto.FastSetSize)
	if slices.Sort(all); !slices.Equal(all, []uint32{0, 1, 2, 3, 4}) {
		t.Errorf("of five parts %v", all)
	}
}
