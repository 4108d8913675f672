package orch

import (
	"strings"
	"testing"
)

// A hash of 32 digits that stand for less is refused: the decoder skips line breaks, and takes
// padding.
func TestShortTopics(t *testing.T) {
	for _, digits := range []string{
		strings.Repeat("A", 24) + "========",
		strings.Repeat("A", 24) + strings.Repeat("%0D%0A", 4),
		strings.Repeat("%0A", 32),
	} {
		if m, err := ParseMagnet("magnet:?xt=urn:btih:" + digits); err == nil {
			t.Errorf("%s is %v", digits, m)
		}
	}
}
