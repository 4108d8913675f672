package bencode

import (
	"reflect"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	got, err := Split([]byte("d1:bi1e1:ald1:zi-0e1:ai007eee1:bdee"))
	want := map[string]Raw{"a": Raw("ld1:zi-0e1:ai007eee"), "b": Raw("de")}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Split gives %q, %v", got, err)
	}
	for _, text := range []string{
		"", "le", "i1e", "d", "d1:a", "d1:ae", "di1ei1ee", "d1:ai1eeX", "d1:a9:fouree", "d1:adi1ei1eee",
		"d1:a" + strings.Repeat("l", MaxDepth) + strings.Repeat("e", MaxDepth) + "e",
	} {
		if got, err := Split([]byte(text)); err == nil {
			t.Errorf("Split(%.40q) = %q, want an error", text, got)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("d1:bi1e1:ald1:zi-0e1:ai007eee1:bdee"))
	f.Fuzz(func(t *testing.T, in []byte) {
		_, err := DecodeLoose(in)
		dict, splitErr := Split(in)
		if isDict := len(in) > 0 && in[0] == 'd'; (err == nil && isDict) != (splitErr == nil) {
			t.Fatalf("DecodeLoose says %v, and Split %v", err, splitErr)
		}
		for k, raw := range dict {
			if _, err := DecodeLoose(raw); err != nil {
				t.Fatalf("the value of %q: %v", k, err)
			}
		}
	})
}
