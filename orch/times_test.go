package orch

import (
	"reflect"
	"testing"
	"time"
)

func TestTimeLines(t *testing.T) {
	at := time.Date(2026, 1, 31, 8, 15, 0, 250_000_000, time.UTC)
	f := withLines(SHA1, "file: 3 a", "time: 2026-01-31T08:15:00.25Z", "file: 0 b", "file: 7 c", "time: 1970-01-01T00:00:00Z",
		"exec: a")
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	entries := []Entry{
		{Path: "a", Size: 3, Exec: true, ModTime: at},
		{Path: "b", Offset: 3},
		{Path: "c", Size: 7, Offset: 3, ModTime: time.Unix(0, 0).UTC()},
	}
	if got := f.Entries(); !reflect.DeepEqual(got, entries) {
		t.Errorf("Entries = %+v, want %+v", got, entries)
	}
	if !f.ModTime().IsZero() {
		t.Error("a folder has a time of its own")
	}
	again := ten()
	again.AddFolder(entries, nil, nil)
	if !reflect.DeepEqual(again.Lines, f.Lines) {
		t.Errorf("AddFolder made %q, want %q", again.Lines, f.Lines)
	}
	if got := mustParse(t, text(t, f)); !reflect.DeepEqual(got, f) {
		t.Errorf("read back as %+v", got)
	}
	single := ten()
	if !single.ModTime().IsZero() {
		t.Error("a time out of nothing")
	}
	single.SetModTime(at.In(time.FixedZone("", 3600)))
	if err := single.Validate(); err != nil || single.ModTime() != at || single.Lines[0].Value != "2026-01-31T08:15:00.25Z" {
		t.Errorf("Validate = %v, ModTime = %v, lines %q", err, single.ModTime(), single.Lines)
	}
}

// TestTimeRange holds that all that can be written comes back as it was, and
// what cannot is not written.
func TestTimeRange(t *testing.T) {
	for _, at := range []time.Time{earliest, latest, time.Unix(1, 1), time.Unix(1<<32, 999_999_999), time.Unix(1<<31, 10)} {
		f := ten()
		f.SetModTime(at)
		if got := mustParse(t, text(t, f)).ModTime(); !got.Equal(at) {
			t.Errorf("%v came back as %v", at, got)
		}
	}
	for _, at := range []time.Time{{}, earliest.Add(-1), latest.Add(1), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		f := ten()
		f.SetModTime(at)
		f.AddFolder([]Entry{{Path: "a", Size: 10, ModTime: at}}, nil, nil)
		if len(f.Lines) != 1 {
			t.Errorf("%v was written: %q", at, f.Lines)
		}
	}
}

func TestTimesRefused(t *testing.T) {
	for _, value := range []string{
		"", "0", "1700000000", "2026-01-31", "2026-01-31T08:15:00", "2026-01-31 08:15:00Z", "2026-01-31T08:15:00+00:00",
		"2026-01-31T08:15:00+01:00", "2026-01-31T08:15:00.250Z", "2026-01-31T08:15:00.Z", "2026-01-31T08:15:00,25Z",
		"2026-01-31T08:15:00.1234567891Z", "2026-01-31t08:15:00Z", "2026-01-31T08:15:00z", " 2026-01-31T08:15:00Z",
		"2026-01-31T08:15:00Z ", "2026-02-30T08:15:00Z", "2026-01-31T24:00:00Z", "2026-01-31T8:15:00Z", "2026-01-31T23:59:60Z",
		"1969-12-31T23:59:59Z", "2262-04-11T23:47:16.854775808Z", "2262-04-11T23:47:17Z", "9999-12-31T00:00:00Z",
		"-001-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
	} {
		if err := withLines(SHA1, "time: "+value).Validate(); err == nil {
			t.Errorf("Validate took %q", value)
		}
	}
	const at = "time: 2026-01-31T08:15:00Z"
	for name, lines := range map[string][]string{
		"two of one file":      {"file: 10 a", at, at},
		"two of a single file": {at, at},
		"of no file":           {"file: 10 a", "comment: b", at},
		"of an empty folder":   {"file: 10 a", "folder: b", at},
		"of a link":            {"file: 10 a", "link: b // a", at},
		"above its file":       {at, "file: 10 a"},
		"above a folder":       {at, "folder: b", "file: 10 a"},
	} {
		if err := withLines(SHA1, lines...).Validate(); err == nil {
			t.Errorf("%s: Validate took %q", name, lines)
		}
	}
}
