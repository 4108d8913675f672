package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHarmless(t *testing.T) {
	for _, tt := range [][2]string{
		{"plain text, ünï çödé 音楽 🎻", "plain text, ünï çödé 音楽 🎻"},
		{"a\x1b[2Jb", `a\x1b[2Jb`},
		{"two\nlines\r\tand\x07\x7f", `two\nlines\r\tand\a\x7f`},
		{"\u202egnp.exe\u2066\u200f", `\u202egnp.exe\u2066\u200f`},
		{"a\u200bb\u200dc\ufeffd\u00ad", `a\u200bb\u200dc\ufeffd\u00ad`},
		{"\u3164\u115f\u2800\ufe0f\u2028", `\u3164\u115f\u2800\ufe0f\u2028`},
		{"\U000e0041", `\U000e0041`},
		{"\x9b31m \xff", `\x9b31m \xff`},
		{"\u009b31m", `\u009b31m`},
		{"\ufffd", "\ufffd"},
		{"no\u00a0break", `no\u00a0break`},
		{`a\nb`, `a\nb`},
	} {
		if got := harmless(tt[0]); got != tt[1] {
			t.Errorf("harmless(%q) = %q, want %q", tt[0], got, tt[1])
		}
	}
}

// Whatever comes in, what goes out is one line of UTF-8 without controls, and JSON keeps the value.
func FuzzHarmless(f *testing.F) {
	f.Add("a\x1b[31m\u202e\U000e0041\xff\n")
	f.Fuzz(func(t *testing.T, s string) {
		got := harmless(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !isPlain(r) }) {
			t.Errorf("harmless(%q) = %q", s, got)
		}
		if again := harmless(got); again != got {
			t.Errorf("harmless(%q) = %q", got, again)
		}
		var out bytes.Buffer
		if err := writeJSON(&out, s); err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Errorf("%q in JSON is %q, which is %q: %v", s, out.String(), back, err)
		}
		if line := strings.TrimSuffix(out.String(), "\n"); harmless(line) != line {
			t.Errorf("%q in JSON is %q", s, line)
		}
	})
}
