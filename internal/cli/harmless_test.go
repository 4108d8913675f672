package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rs/zerolog"
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

// What stands in a log line, in any place, is harmless, in colour too.
func TestConsoleIsHarmless(t *testing.T) {
	const evil = "a\u2800b\ufe0fc\x1b[2J\u202e"
	for _, color := range []bool{false, true} {
		var out bytes.Buffer
		log := zerolog.New(console(&out, color))
		log.Error().
			Err(errors.New(evil)).
			Str("name", evil).
			Strs("all", []string{evil}).
			Int("n", 7).
			Bool("b", true).
			Msg(evil)
		got := out.String()
		if color {
			got = regexp.MustCompile(`\x1b\[\d*m`).ReplaceAllString(got, "")
		}
		if line := strings.TrimSuffix(got, "\n"); harmless(line) != line {
			t.Errorf("a line in colour (%v) is %q", color, got)
		}
		for _, want := range []string{` n=7`, ` b=true`, ` name="a\u2800b\ufe0fc\x1b[2J\u202e"`, ` error="a\u2800b\ufe0fc\x1b[2J\u202e"`} {
			if !strings.Contains(got, want) {
				t.Errorf("%q has no %s", got, want)
			}
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
