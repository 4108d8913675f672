package bencode

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// valid pairs encodings with the values they stand for.
var valid = []struct {
	text  string
	value any
}{
	{"i0e", int64(0)},
	{"i-1e", int64(-1)},
	{"i42e", int64(42)},
	{"i9223372036854775807e", int64(9223372036854775807)},
	{"i-9223372036854775808e", int64(-9223372036854775808)},
	{"0:", ""},
	{"4:spam", "spam"},
	{"3:\x00\xff:", "\x00\xff:"},
	{"le", []any{}},
	{"de", map[string]any{}},
	{"li1e1:ae", []any{int64(1), "a"}},
	{"d0:i1e1:a0:2:aalee", map[string]any{"": int64(1), "a": "", "aa": []any{}}},
	{"d1:md11:ut_metadatai2e6:ut_pexi1eee", map[string]any{"m": map[string]any{"ut_metadata": int64(2), "ut_pex": int64(1)}}},
}

func TestDecodeAndEncode(t *testing.T) {
	for _, c := range valid {
		v, err := Decode([]byte(c.text))
		if err != nil {
			t.Errorf("Decode(%q): %v", c.text, err)
			continue
		}
		if !reflect.DeepEqual(v, c.value) {
			t.Errorf("Decode(%q) = %#v, want %#v", c.text, v, c.value)
		}
		b, err := Encode(c.value)
		if err != nil || string(b) != c.text {
			t.Errorf("Encode(%#v) = %q, %v, want %q", c.value, b, err, c.text)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                  "",
		"left-over bytes":          "i1ei2e",
		"one end too many":         "d0:i1e1:aleee",
		"unknown type":             "x",
		"empty integer":            "ie",
		"lone minus":               "i-e",
		"minus zero":               "i-0e",
		"plus sign":                "i+1e",
		"leading zero":             "i01e",
		"negative leading zero":    "i-01e",
		"blank":                    "i 1e",
		"beyond 64 bits":           "i9223372036854775808e",
		"far beyond 64 bits":       "i" + strings.Repeat("9", 1000) + "e",
		"unended integer":          "i12",
		"string longer than data":  "5:spam",
		"string length overflow":   "99999999999999999999:a",
		"huge string length":       "9223372036854775807:a",
		"string length with zeros": "04:spam",
		"negative string length":   "-1:a",
		"string without colon":     "4spam",
		"string cut off":           "12",
		"list cut off":             "li1e",
		"dictionary cut off":       "d1:a",
		"key without value":        "d1:ae",
		"key that is no string":    "di1ei1ee",
		"keys out of order":        "d1:bi1e1:ai2ee",
		"key twice":                "d1:ai1e1:ai2ee",
		"too deep":                 strings.Repeat("l", MaxDepth+1) + strings.Repeat("e", MaxDepth+1),
		"unended and deep":         strings.Repeat("l", 1<<20),
	} {
		if v, err := Decode([]byte(text)); err == nil {
			t.Errorf("%s: Decode(%.40q) = %#v, want an error", name, text, v)
		}
	}
}

func TestDecodeLoose(t *testing.T) {
	for text, want := range map[string]any{
		"d1:bi1e1:ai2ee":           map[string]any{"a": int64(2), "b": int64(1)},
		"d1:ai1e1:bi2e1:ai3ee":     map[string]any{"a": int64(3), "b": int64(2)},
		"d1:mld1:zi-0e1:ai007eeee": map[string]any{"m": []any{map[string]any{"z": int64(0), "a": int64(7)}}},
		"d2:yy003:onee":            map[string]any{"yy": "one"},
	} {
		if got, err := DecodeLoose([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("DecodeLoose(%q) = %#v, %v, want %#v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d1:ae", "di1ei1ee", "i1", "i1eX", "d1:ai1e", "5:four", "i99999999999999999999e", strings.Repeat("l", MaxDepth+1) + strings.Repeat("e", MaxDepth+1)} {
		if v, err := DecodeLoose([]byte(text)); err == nil {
			t.Errorf("DecodeLoose(%.40q) = %#v, want an error", text, v)
		}
	}
}

func TestDecodeNamesThePlace(t *testing.T) {
	_, err := Decode([]byte("d1:ai1e1:bi02ee"))
	if err == nil || !strings.Contains(err.Error(), "byte 11") {
		t.Errorf("error is %v, want it to name byte 11", err)
	}
}

func TestDepthLimit(t *testing.T) {
	deepest := strings.Repeat("l", MaxDepth) + strings.Repeat("e", MaxDepth)
	v, err := Decode([]byte(deepest))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := Encode(v); err != nil || string(b) != deepest {
		t.Errorf("Encode gives %.80q, %v", b, err)
	}
	if _, err := Encode([]any{v}); err == nil {
		t.Error("Encode took what Decode refuses")
	}
}

func TestDecodePrefix(t *testing.T) {
	v, rest, err := DecodePrefix([]byte("d5:piecei0eeDATA"))
	if err != nil || !reflect.DeepEqual(v, map[string]any{"piece": int64(0)}) || string(rest) != "DATA" {
		t.Errorf("DecodePrefix = %#v, %q, %v", v, rest, err)
	}
}

func TestDecodeSharesNoMemory(t *testing.T) {
	b := []byte("4:spam")
	v, err := Decode(b)
	clear(b)
	if err != nil || v != "spam" {
		t.Errorf("got %#v, %v after the input was overwritten", v, err)
	}
}

func TestEncodeOtherTypes(t *testing.T) {
	got, err := Append([]byte("x"), map[string]any{"b": []byte("\x00"), "a": 7, "c": Raw("le")})
	if want := "xd1:ai7e1:b1:\x001:clee"; err != nil || string(got) != want {
		t.Errorf("Append = %q, %v, want %q", got, err, want)
	}
	for _, v := range []any{nil, 1.5, uint8(1), Raw{}, []any{nil}, map[string]any{"a": true}, map[string]string{}} {
		if got, err := Append([]byte("x"), v); err == nil || string(got) != "x" {
			t.Errorf("Append(%#v) = %q, %v, want an error and the slice as it was", v, got, err)
		}
	}
}

// TestDecodeTakesNoMemoryForClaims holds the rule that a length is checked
// before memory is taken for it.
func TestDecodeTakesNoMemoryForClaims(t *testing.T) {
	in := []byte("1000000000:a")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Decode(in)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; err == nil || n > 1<<20 {
		t.Errorf("a claimed length made Decode take %d bytes; its error is %v", n, err)
	}
}

// TestDecodeTakesBoundedMemory holds what the shortest values take, at their worst.
func TestDecodeTakesBoundedMemory(t *testing.T) {
	for name, in := range map[string]string{
		"integers":          "l" + strings.Repeat("i300e", 2<<20) + "e",
		"strings":           "l" + strings.Repeat("1:a", 3<<20) + "e",
		"empty lists":       "l" + strings.Repeat("le", 4<<20) + "e",
		"empty dictionary":  "l" + strings.Repeat("de", 4<<20) + "e",
		"dictionaries":      "l" + strings.Repeat("d0:0:e", 1<<20) + "e",
		"lists of one":      "l" + strings.Repeat("l0:e", 2<<20) + "e",
		"dictionary of all": manyKeys(1 << 20),
	} {
		debug.FreeOSMemory()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := Decode([]byte(in))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: %T was decoded", name, v)
		}
		if n := after.TotalAlloc - before.TotalAlloc - uint64(len(in)); n > 3*MaxMemory {
			t.Errorf("%s: %d MiB were taken", name, n>>20)
		}
	}
	if _, err := Decode([]byte("l" + strings.Repeat("1:a", 200_000) + "e")); err != nil {
		t.Error(err)
	}
}

func manyKeys(n int) string {
	b := []byte("d")
	for i := range n {
		b = fmt.Appendf(b, "8:%08d0:", i)
	}
	return string(append(b, 'e'))
}

func values() *rapid.Generator[any] {
	leaf := rapid.OneOf(rapid.Int64().AsAny(), rapid.String().AsAny())
	return rapid.OneOf(leaf, rapid.Deferred(func() *rapid.Generator[any] {
		return rapid.OneOf(
			rapid.SliceOfN(values(), 0, 4).AsAny(),
			rapid.MapOfN(rapid.String(), values(), 0, 4).AsAny())
	}))
}

func TestEncodeThenDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values().Draw(t, "value")
		b, err := Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b)
		if err != nil {
			t.Fatalf("Decode(%q): %v", b, err)
		}
		if !reflect.DeepEqual(got, v) {
			t.Fatalf("%#v came back as %#v", v, got)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, c := range valid {
		f.Add([]byte(c.text))
	}
	f.Add([]byte("d1:bi1e1:ai2ee"))
	f.Fuzz(func(t *testing.T, in []byte) {
		_, rest, err := DecodePrefix(in)
		if err != nil {
			return
		}
		v, err := Decode(in[:len(in)-len(rest)])
		if err != nil {
			return // it was read loosely
		}
		out, err := Encode(v)
		if err != nil {
			t.Fatalf("decoded but not encoded: %v", err)
		}
		if want := in[:len(in)-len(rest)]; !bytes.Equal(out, want) {
			t.Fatalf("%q came back as %q", want, out)
		}
	})
}

// FuzzDecodeLoose holds that what is read loosely is a value, which is strict once
// it is written.
func FuzzDecodeLoose(f *testing.F) {
	for _, c := range valid {
		f.Add([]byte(c.text))
	}
	f.Add([]byte("d1:bi01e1:ai2e1:ai-0ee"))
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := DecodeLoose(in)
		strict, strictErr := Decode(in)
		if err != nil {
			if strictErr == nil {
				t.Fatalf("%q is strict and not loose: %v", in, err)
			}
			return
		}
		if strictErr == nil && !reflect.DeepEqual(v, strict) {
			t.Fatalf("%q is %#v, and loosely %#v", in, strict, v)
		}
		out, err := Encode(v)
		if err != nil {
			t.Fatalf("decoded but not encoded: %v", err)
		}
		if again, err := Decode(out); err != nil || !reflect.DeepEqual(again, v) {
			t.Fatalf("%#v came back as %#v, %v", v, again, err)
		}
	})
}
