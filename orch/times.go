package orch

import (
	"errors"
	"fmt"
	"time"
)

// Times reach from the beginning of 1970 to what 63 bits hold in nanoseconds,
// a moment of April 2262.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Unix(0, 1<<63-1)
)

// HasTime reports whether a "time" line can say t.
func HasTime(t time.Time) bool { return !t.Before(earliest) && !t.After(latest) }

// formatTime writes a time as RFC 3339 has it, in UTC, without zeros at the end
// of the fraction.
func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// parseTimeLine reads the value of a "time" line, in the one spelling that
// formatTime gives.
func parseTimeLine(value string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil || formatTime(t) != value || !HasTime(t) {
		return time.Time{}, fmt.Errorf(
			"expected a time from 1970 to 2262 in UTC like 2026-01-31T08:15:00.25Z, found %s", quote(value))
	}
	return t.UTC(), nil
}

// ModTime is when a single file was modified last; zero if it is not known, and
// for a folder, whose files have their own in Entries.
func (f *File) ModTime() time.Time {
	if !f.IsFolder() {
		for _, l := range f.Lines {
			if l.Key == keyTime {
				t, _ := parseTimeLine(l.Value)
				return t
			}
		}
	}
	return time.Time{}
}

// SetModTime appends the line for when a single file was modified last, if
// there can be one.
func (f *File) SetModTime(t time.Time) {
	if HasTime(t) {
		f.Lines = append(f.Lines, Line{keyTime, formatTime(t)})
	}
}

// timeCheck looks at the "time" lines: each is that of the "file" line just
// above, or there is one and no folder.
type timeCheck struct {
	afterFile bool // the last line was a "file" line
	single    bool // there was one that is of no "file" line
}

func (c *timeCheck) add(l Line, inFolder bool) error {
	ofFile := c.afterFile
	c.afterFile = l.Key == keyFile
	switch {
	case l.Key == keyTime:
		if _, err := parseTimeLine(l.Value); err != nil {
			return err
		}
		switch {
		case ofFile:
		case inFolder:
			return errors.New("a time line stands right after the file line that it belongs to")
		case c.single:
			return errors.New("a second time line")
		default:
			c.single = true
		}
	case c.single && (l.Key == keyFile || l.Key == keyFolder):
		return fmt.Errorf("a %s line after a time line that belongs to no file", l.Key)
	}
	return nil
}
