package orch

import (
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestFoldName(t *testing.T) {
	for _, same := range [][]string{
		{"readme", "README", "ReadMe"},
		{"é", "É", "e\u0301", "E\u0301"},
		{"Straße", "STRASSE", "strasse", "stra\u017f\u017fe"},
		{"k", "K", "\u212a"},              // the Kelvin sign
		{"Σίσυφος", "σίσυφοσ", "ΣΊΣΥΦΟΣ"}, // a final sigma
		{"ǆ", "ǅ", "Ǆ"},
		{"한", "\u1112\u1161\u11ab"},
		{"q\u0307\u0323", "Q\u0323\u0307"}, // marks in either order
		{"heart\u2764", "heart\u2764\ufe0f", "HEART\u200d\u2764"},
		{"", "\u200b"},
		{"\u13a0\u13f0", "\uab70\u13f8"}, // Cherokee, whose small letters fold to capitals
	} {
		for _, name := range same {
			if got, want := FoldName(name), FoldName(same[0]); got != want {
				t.Errorf("%+q gives %+q, and %+q gives %+q", name, got, same[0], want)
			}
		}
	}
	for _, apart := range [][2]string{
		{"a", "b"},
		{"e", "é"}, // an accent counts
		{"ü", "u"},
		{"i", "ı"},
		{"日", "本"}, // and so does all else that is not ASCII
		{"a b", "ab"},
		{"\xff", "\xfe\xfe"},
		{"ﬁ1", "ﬁ2"},
		{"²", "2"},                // no compatibility forms
		{"\U00010061\u0300", "à"}, // norm.NFC makes the first into the second
	} {
		if FoldName(apart[0]) == FoldName(apart[1]) {
			t.Errorf("%+q and %+q are told to be one", apart[0], apart[1])
		}
	}
}

// Every letter is the same name as the other cases of it, whatever the script.
func TestFoldEveryLetter(t *testing.T) {
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		other := unicode.SimpleFold(r)
		if other == r {
			continue
		}
		if got, want := FoldName(string(other)), FoldName(string(r)); got != want {
			t.Errorf("%U gives %+q, and %U gives %+q", other, got, r, want)
		}
		if once := FoldName(string(r)); FoldName(once) != once {
			t.Errorf("%U becomes %+q, and then %+q", r, once, FoldName(once))
		}
	}
}

// A name that was folded is not folded further, so it can be compared with others.
func TestFoldNameTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := FoldName(rapid.String().Draw(t, "name"))
		if twice := FoldName(once); twice != once {
			t.Errorf("%+q becomes %+q", once, twice)
		}
	})
}
