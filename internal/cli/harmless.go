package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// harmless returns s with every character that a terminal would obey or hide written as an escape:
// controls (line ends too, so that a line stays one), bidirectional and other format characters,
// those of no width, and bytes that are not UTF-8. Every line that is shown goes through it, since
// any may hold a string from a file or a peer.
func harmless(s string) string {
	if isHarmless(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case isPlain(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

func isHarmless(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !isPlain(r) {
			return false
		}
	}
	return true
}

// isPlain reports whether a terminal shows r as a mark (or the space) and nothing else happens.
// Characters that Unicode calls ignorable print nothing, although some of them count as letters.
func isPlain(r rune) bool {
	return strconv.IsPrint(r) && r != '\u2800' &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// writeJSON writes v as one line of JSON in which every string keeps its value and no character is
// harmful.
func writeJSON(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(harmlessJSON(text), '\n'))
	return err
}

// harmlessJSON escapes, in the JSON way, what harmless would: outside of its strings JSON has none
// of it.
func harmlessJSON(text []byte) []byte {
	if isHarmless(string(text)) {
		return text
	}
	var b []byte
	for _, r := range string(text) {
		switch {
		case isPlain(r) || r == '\n':
			b = utf8.AppendRune(b, r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return b
}
