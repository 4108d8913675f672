package cli

import (
	"fmt"
	"strconv"
	"time"

	"orchestra/member/store"
)

// bytesText is a number of bytes for people: three digits or so, in powers of 1,024.
func bytesText(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n), 0
	for v >= 1023.95 && unit < 6 {
		v, unit = v/1024, unit+1
	}
	text := strconv.FormatFloat(v, 'f', 1, 64)
	if text[len(text)-2:] == ".0" {
		text = text[:len(text)-2]
	}
	return text + " " + string(" KMGTPE"[unit]) + "iB"
}

// figureText is a number of bytes for people in a place of its own, that does not move: three
// digits, in eight columns at most.
func figureText(n float64) string {
	unit := 0
	for n >= 999.5 && unit < 6 {
		n, unit = n/1024, unit+1
	}
	digits := 0
	switch {
	case unit == 0 || n >= 99.95:
	case n >= 9.995:
		digits = 1
	default:
		digits = 2
	}
	text := strconv.FormatFloat(n, 'f', digits, 64)
	if unit == 0 {
		return text + " B"
	}
	return text + " " + string(" KMGTPE"[unit]) + "iB"
}

// counted is a number of things, which are several but for one.
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return grouped(int64(n)) + " " + what
}

// badPartsText says in one line which parts of what is at path are bad.
func badPartsText(parts []int, path string) string {
	if len(parts) == 1 {
		return fmt.Sprintf("part %d of %s does not verify; join --repair gets it anew", parts[0], path)
	}
	return fmt.Sprintf("%s (%s) of %s do not verify; join --repair gets them anew",
		counted(len(parts), "part"), store.Ranges(parts), path)
}

// grouped is a whole number with commas between the thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// timeText is a time span for people: 0.4 s, 12 s, 3m05s, 2h07m.
func timeText(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 100*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
