package orch

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// FoldName gives the same for names that some file system takes for one: those
// that are equal after Unicode normalisation and case folding (canonical
// caseless matching, Unicode 3.13, D145), and without the characters that show
// nothing, which ext4 and HFS+ leave out too. It is no name to store anything
// under, and works on one component of a path or on all of it.
func FoldName(name string) string {
	if isASCII(name) {
		return strings.ToLower(name)
	}
	visible := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return -1
		}
		if unicode.Is(unicode.Cherokee, r) {
			return unicode.ToLower(r) // Fold turns both cases of this script round
		}
		return r
	}, name)
	return norm.NFD.String(cases.Fold().String(norm.NFD.String(visible)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
