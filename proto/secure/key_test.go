package secure

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func testKey(t testing.TB) *Key {
	t.Helper()
	k, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// What is derived of the bytes 0 to 31.
const (
	wantText = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh_FUUL1"
	wantID   = "369e053a14a56585dde401968fcfe36d"
	wantHail = "db0db930b15a39419d3342aa62e40d3e95b83bcfa8e2b06124623a5e17610c7c"
	wantSeed = "070e243dab46f73cbbd40f50ca43ce49ace93c9c9c0f4612c87be262013199c4"
	wantPeer = "c00f5da45209a6c5c71225bf38526c6d7ad4fd21676e2369fc25a3f89e8f6bb2"
	wantPath = "473f82642767576f2e96d789230d44e4a4dbd4153a869d5397385eb77cc3c5a7"
)

// What is derived never changes: keys and .orch files that were handed out go on to fit.
func TestDerivation(t *testing.T) {
	var secret [secretSize]byte
	for i := range secret {
		secret[i] = byte(i)
	}
	k, err := derive(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []struct{ what, is, want string }{
		{"text", k.Text(), wantText},
		{"id", k.ID(), wantID},
		{"hail", hex.EncodeToString(k.hail), wantHail},
		{"certificates", hex.EncodeToString(k.signer.Seed()), wantSeed},
		{"peer ids", hex.EncodeToString(k.peer), wantPeer},
		{"paths", hex.EncodeToString(k.path), wantPath},
	} {
		if got.is != got.want {
			t.Errorf("%s is %s, want %s", got.what, got.is, got.want)
		}
	}
}

func TestKeyText(t *testing.T) {
	k := testKey(t)
	for _, text := range []string{k.Text(), k.Text() + "\n", "  " + k.Text() + "\r\n"} {
		if got, err := ParseKey(text); err != nil || !got.Is(k) || got.ID() != k.ID() {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, wrong := range []struct{ text, why string }{
		{"", "has 0"},
		{k.Text()[1:], "has 47"},
		{k.Text() + "A", "has 49"},
		{strings.Repeat("*", TextSize), "alone"},
	} {
		if _, err := ParseKey(wrong.text); err == nil || !strings.Contains(err.Error(), wrong.why) {
			t.Errorf("%q: %v", wrong.text, err)
		}
	}
}

// A letter that is mistyped or two that are swapped are told at once, without repeating the key.
func TestMistypedKey(t *testing.T) {
	text := testKey(t).Text()
	for i := range text {
		other := byte('A')
		if text[i] == other {
			other = 'B'
		}
		wrong := text[:i] + string(other) + text[i+1:]
		_, err := ParseKey(wrong)
		if err == nil {
			t.Fatalf("with another letter at %d it is a key", i)
		}
		if strings.Contains(err.Error(), wrong[:8]) || strings.Contains(err.Error(), wrong[40:]) {
			t.Errorf("the error repeats the key: %v", err)
		}
		if i > 0 && text[i] != text[i-1] {
			swapped := text[:i-1] + text[i:i+1] + text[i-1:i] + text[i+1:]
			if _, err := ParseKey(swapped); err == nil {
				t.Fatalf("with letters %d and %d swapped it is a key", i-1, i)
			}
		}
	}
}

// However a key is printed, it is not the key.
func TestKeyIsNotPrinted(t *testing.T) {
	k := testKey(t)
	i, err := k.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	decimal := strings.Trim(fmt.Sprint(k.secret[:4]), "[]")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{k, struct{ K *Key }{k}, []*Key{k}} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, k.Text()) || strings.Contains(text, hex.EncodeToString(k.secret[:4])) ||
				strings.Contains(text, decimal) {
				t.Errorf("%s of %T: %s", verb, value, text)
			}
		}
		if text := fmt.Sprintf(verb, i.Key()); text != "key "+k.ID() {
			t.Errorf("%s of the key of an identity: %s", verb, text)
		}
	}
}

// A name is published as something that tells nothing of it, and is another one for each key.
func TestPathOf(t *testing.T) {
	one, other := testKey(t), testKey(t)
	if a := one.PathOf("x.orch"); a != one.PathOf("x.orch") || a == one.PathOf("y.orch") || a == other.PathOf("x.orch") {
		t.Errorf("x.orch is at %s", a)
	}
}

func FuzzParseKey(f *testing.F) {
	k := testKey(f)
	f.Add(k.Text())
	f.Add(wantText + "\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ParseKey(text)
		if err != nil {
			return
		}
		if k.Text() != strings.TrimSpace(text) {
			t.Errorf("%q is also written %q", text, k.Text())
		}
	})
}

// A hail is good for its key alone, and no two are alike.
func TestHail(t *testing.T) {
	one, other := testKey(t), testKey(t)
	first, err := one.newHail()
	if err != nil {
		t.Fatal(err)
	}
	second, err := one.newHail()
	if err != nil {
		t.Fatal(err)
	}
	if first == second || first[:8] == second[:8] {
		t.Error("two hails are alike")
	}
	changed := []byte(first)
	changed[0] ^= 1
	for _, test := range []struct {
		said []string
		key  *Key
		want bool
	}{
		{[]string{first}, one, true},
		{[]string{second}, one, true},
		{[]string{first}, other, false},
		{[]string{string(changed)}, one, false},
		{[]string{first, second}, one, false},
		{[]string{first[:hailSize-1]}, one, false},
		{[]string{"h2"}, one, false},
		{nil, one, false},
	} {
		if got := test.key.hailed(test.said); got != test.want {
			t.Errorf("%x: %v", test.said, got)
		}
	}
	if bytes.Contains([]byte(first), one.secret[:8]) {
		t.Error("a hail has the key in it")
	}
}
