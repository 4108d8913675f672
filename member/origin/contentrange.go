package origin

import (
	"strconv"
	"strings"
)

// parseContentRange reads the header of that name (RFC 9110, 14.4): "bytes 0-499/1234", or with "*"
// where the size is not known, which is -1 then.
func parseContentRange(text string) (first, last, size int64, ok bool) {
	unit, rest, found := strings.Cut(text, " ")
	if !found || !strings.EqualFold(unit, "bytes") {
		return 0, 0, 0, false
	}
	span, whole, found := strings.Cut(strings.TrimLeft(rest, " "), "/")
	if !found {
		return 0, 0, 0, false
	}
	a, b, found := strings.Cut(span, "-")
	if !found {
		return 0, 0, 0, false
	}
	if first, ok = parseNumber(a); !ok {
		return 0, 0, 0, false
	}
	if last, ok = parseNumber(b); !ok || last < first {
		return 0, 0, 0, false
	}
	if whole == "*" {
		return first, last, -1, true
	}
	if size, ok = parseNumber(whole); !ok || last >= size {
		return 0, 0, 0, false
	}
	return first, last, size, true
}

// parseUnsatisfied reads the header of an answer that a file does not have the range: "bytes
// */1234".
func parseUnsatisfied(text string) (size int64, ok bool) {
	unit, rest, found := strings.Cut(text, " ")
	if !found || !strings.EqualFold(unit, "bytes") {
		return 0, false
	}
	whole, found := strings.CutPrefix(strings.TrimLeft(rest, " "), "*/")
	if !found {
		return 0, false
	}
	return parseNumber(whole)
}

// parseNumber reads digits alone: no sign, no blanks.
func parseNumber(text string) (int64, bool) {
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err == nil
}
