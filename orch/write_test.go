package orch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestValidateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*File)
		line   int
	}{
		"conductor":               {func(f *File) { f.Conductor = "" }, 1},
		"break in zone":           {func(f *File) { f.Conductor = "fe80::1%a\nb" }, 1},
		"bracket in zone":         {func(f *File) { f.Conductor = "fe80::1%]a" }, 1},
		"name":                    {func(f *File) { f.Name = ".." }, 2},
		"path":                    {func(f *File) { f.Name = "a/b" }, 2},
		"line break in name":      {func(f *File) { f.Name = "a\nb" }, 2},
		"no checksum":             {func(f *File) { f.Checksum = []byte{} }, 3},
		"odd checksum":            {func(f *File) { f.Checksum = make([]byte, 16) }, 3},
		"negative size":           {func(f *File) { f.Size = -1 }, 4},
		"part size":               {func(f *File) { f.PartSize = 0 }, 5},
		"large part size":         {func(f *File) { f.PartSize = MaxPartSize + 1 }, 5},
		"too many parts":          {func(f *File) { f.Size, f.PartSize = 1<<62, 1 }, 6},
		"checksum missing":        {func(f *File) { f.PartSums = f.PartSums[20:] }, 7},
		"half a checksum":         {func(f *File) { f.PartSums = f.PartSums[:170] }, 7},
		"other hash":              {func(f *File) { f.Checksum = make([]byte, 32) }, 7},
		"line break in value":     {func(f *File) { f.Lines = []Line{{"a", "b"}, {"c", "d\ne"}} }, 17},
		"colon in key":            {func(f *File) { f.Lines = []Line{{"a:", "b"}} }, 16},
		"unknown and important":   {func(f *File) { f.Lines = []Line{{"!a", "b"}} }, 16},
		"line too long":           {func(f *File) { f.Lines = []Line{{"a", strings.Repeat("b", maxLine)}} }, 16},
		"files that are too few":  {func(f *File) { f.Lines = []Line{{"file", "142043 a"}} }, 16},
		"files that are too many": {func(f *File) { f.Lines = []Line{{"file", "142043 a"}, {"file", "2 b"}} }, 17},
	} {
		f := mustParse(t, sample)
		c.change(f)
		err := f.Validate()
		if pe, ok := errors.AsType[*ParseError](err); !ok || pe.Line != c.line {
			t.Errorf("%s: Validate = %v, want an error on line %d", name, err, c.line)
		}
		if n, err := f.WriteTo(failingWriter{}); n != 0 || err == nil || errors.Is(err, errDisk) {
			t.Errorf("%s: WriteTo = %d, %v, want it to refuse before it writes", name, n, err)
		}
	}
}

var errDisk = errors.New("disk full")

type failingWriter struct{}

func (failingWriter) Write(p []byte) (int, error) { return 0, errDisk }

func TestWriteErrors(t *testing.T) {
	if _, err := mustParse(t, sample).WriteTo(failingWriter{}); !errors.Is(err, errDisk) {
		t.Errorf("WriteTo = %v", err)
	}
}

func TestWriteFileReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, strings.Repeat("n", maxName)+".orch")
	for _, conductor := range []string{"a:1", "b:2"} {
		f := mustParse(t, change(1, conductor))
		if err := WriteFile(path, f); err != nil {
			t.Fatal(err)
		}
		if got, err := Open(path); err != nil || got.Conductor != conductor {
			t.Errorf("read back %v, %v", got, err)
		}
	}
	only(t, dir, filepath.Base(path))
}

func TestWriteFileLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.orch")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := mustParse(t, sample)
	bad.Name = ""
	if err := WriteFile(path, bad); err == nil {
		t.Error("WriteFile wrote what Validate refuses")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "before" {
		t.Errorf("the file holds %q, %v", got, err)
	}
	// Errors name the file that was asked for, not the temporary one.
	wantPath := func(err error, want string) {
		t.Helper()
		if pe, ok := errors.AsType[*fs.PathError](err); !ok || pe.Path != want {
			t.Errorf("%v, want an error with the path %s", err, want)
		}
	}
	none := filepath.Join(dir, "none", "x.orch")
	err := WriteFile(none, mustParse(t, sample))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into no folder: %v", err)
	}
	wantPath(err, none)
	// A folder cannot be replaced: the failure is at the rename.
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantPath(WriteFile(filepath.Join(dir, "folder"), mustParse(t, sample)), filepath.Join(dir, "folder"))
	only(t, dir, "folder", "x.orch")
}

func TestWriteFileMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no permission bits here")
	}
	dir := t.TempDir()
	plain, path := filepath.Join(dir, "plain"), filepath.Join(dir, "x.orch")
	if err := os.WriteFile(plain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, mustParse(t, sample)); err != nil {
		t.Fatal(err)
	}
	a, err := os.Stat(plain)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if a.Mode() != b.Mode() {
		t.Errorf("its mode is %v, where other new files have %v", b.Mode(), a.Mode())
	}
}

// only checks which files are in dir.
func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("in the folder are %q, want %q", got, want)
	}
}
