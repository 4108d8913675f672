package orch

import (
	"errors"
	"fmt"
	"strings"
)

// The numbers of the first lines.
const (
	lineConductor = 1 + iota
	lineName
	lineChecksum
	lineSize
	linePartSize
	lineCount
	lineParts // of the first part
)

// Longest lines in bytes, without their ends. An optional line may be long
// because an "info" line is.
const (
	maxHeadLine = 64<<10 - 2
	maxLine     = 16 << 20
)

// lineNumber is that of optional line i, counted from 0.
func (f *File) lineNumber(i int) int { return lineParts + f.NumParts() + i }

// Validate says what would keep f from being written and read again. The
// error is a *ParseError, with the number of the line that is wrong.
func (f *File) Validate() error {
	if err := checkConductor(f.Conductor); err != nil {
		return &ParseError{Line: lineConductor, Err: err}
	}
	if name, err := ReadName(f.Name); err != nil {
		return &ParseError{Line: lineName, Err: err}
	} else if name != f.Name {
		return &ParseError{Line: lineName, Err: fmt.Errorf("the name %s has a separator of paths", quote(f.Name))}
	}
	if n := len(f.Checksum); f.Checksum != nil && n != SHA1.Size() && n != SHA256.Size() {
		return &ParseError{Line: lineChecksum, Err: fmt.Errorf("a checksum of %d bytes; SHA-1 has 20, SHA-256 has 32", n)}
	}
	if err := checkSize(f.Size); err != nil {
		return &ParseError{Line: lineSize, Err: err}
	}
	if err := checkPartSize(f.PartSize); err != nil {
		return &ParseError{Line: linePartSize, Err: err}
	}
	n := countParts(f.Size, f.PartSize)
	if err := checkCount(n, f.Size, f.PartSize, f.Hash()); err != nil {
		return &ParseError{Line: lineCount, Err: err}
	}
	if want := int(n) * f.Hash().Size(); len(f.PartSums) != want {
		return &ParseError{Line: lineParts, Err: fmt.Errorf("%d bytes of part checksums, expected %d", len(f.PartSums), want)}
	}
	if at, err := f.checkLines(); err != nil {
		return &ParseError{Line: f.lineNumber(at), Err: err}
	}
	if f.textSize() > MaxFileSize {
		return &ParseError{Line: f.lineNumber(len(f.Lines)) - 1, Err: errTooLong}
	}
	return nil
}

// CheckLines says what is wrong with the optional lines alone. It needs no
// checksums, so it can be asked before a content is read.
func (f *File) CheckLines() error {
	_, err := f.checkLines()
	return err
}

// checkLines looks at the optional lines. An error belongs to line at.
func (f *File) checkLines() (at int, err error) {
	check := newLineCheck(f)
	for i, l := range f.Lines {
		if err := check.add(l); err != nil {
			return i, err
		}
	}
	return len(f.Lines) - 1, check.end()
}

// CheckParts says why a content of size bytes cannot be composed in parts of
// partSize bytes. It needs no content, so it can be asked before one is read.
func CheckParts(size, partSize int64, hash Hash) error {
	if err := checkSize(size); err != nil {
		return err
	}
	if err := checkPartSize(partSize); err != nil {
		return err
	}
	return checkCount(countParts(size, partSize), size, partSize, hash)
}

func checkSize(size int64) error {
	if size < 0 {
		return fmt.Errorf("the size is negative, %d", size)
	}
	return nil
}

func checkPartSize(partSize int64) error {
	if partSize < 1 || partSize > MaxPartSize {
		return fmt.Errorf("expected a part size from 1 to %d bytes, found %d", MaxPartSize, partSize)
	}
	return nil
}

// checkCount checks the number of parts, n. It is what memory is later taken
// for, so one whose checksums cannot fit in a file is refused at once.
func checkCount(n, size, partSize int64, hash Hash) error {
	if want := countParts(size, partSize); n != want {
		return fmt.Errorf("expected %d parts, as %d bytes in parts of %d are, found %d", want, size, partSize, n)
	}
	if most := int64(MaxFileSize / (2*hash.Size() + 1)); n > most {
		return fmt.Errorf("%d parts are too many for an .orch file of at most %d MiB; take larger parts", n, MaxFileSize>>20)
	}
	return nil
}

// lineCheck looks at the optional lines one after the other.
type lineCheck struct {
	hash    Hash
	count   int
	info    *infoValue // nil: there was none yet
	private bool       // there was a "!private" line
	folder  folderCheck
	times   timeCheck
}

func newLineCheck(f *File) lineCheck {
	return lineCheck{hash: f.Hash(), folder: folderCheck{left: f.Size}}
}

func (c *lineCheck) add(l Line) error {
	if c.count++; c.count > MaxLines {
		return fmt.Errorf("more than %d lines after the parts", MaxLines)
	}
	if err := l.Validate(); err != nil {
		return err
	}
	if err := c.times.add(l, c.folder.paths != nil); err != nil {
		return err
	}
	switch l.Key {
	case keyConductor:
		_, err := ReadConductor(l.Value)
		return err
	case keyFile:
		return c.folder.addFile(l.Value)
	case keyExec:
		return c.folder.addExec(l.Value)
	case keyFolder:
		return c.folder.addFolder(l.Value)
	case keyLink:
		return c.folder.addLink(l.Value)
	case keyPrivate:
		return c.addPrivate(l.Value)
	case keyPad:
		if c.hash != SHA1 {
			return errors.New("a !pad line goes with SHA-1 checksums only")
		}
		return c.folder.addPad(l.Value)
	case keyTracker:
		_, err := parseTrackerLine(l.Value)
		return err
	case keyInfo:
		if c.info != nil {
			return errors.New("a second info line")
		}
		if c.hash != SHA1 {
			return errors.New("an info line goes with SHA-1 checksums only")
		}
		info, err := parseInfoLine(l.Value)
		c.info = &info
		return err
	}
	return nil
}

// end is called after the last line.
func (c *lineCheck) end() error {
	if c.info != nil && c.info.files != nil && len(c.info.files) != c.folder.listed {
		return fmt.Errorf("the info line has keys of %d files, and there are %d file and !pad lines",
			len(c.info.files), c.folder.listed)
	}
	return c.folder.end()
}

// Validate says why l cannot be an optional line, as far as that holds for
// every key.
func (l Line) Validate() error {
	if l.Key == "" || strings.ContainsFunc(l.Key, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }) {
		return fmt.Errorf("expected `key: value` with a key of printable ASCII without blanks, found the key %s", quote(l.Key))
	}
	if l.Key[0] == '!' && l.Key != keyPad && l.Key != keyPrivate {
		return fmt.Errorf("the key %s must be understood and is not; a newer version of the program may read this file", quote(l.Key))
	}
	if strings.ContainsAny(l.Value, "\x00\r\n") {
		return fmt.Errorf("the value of %s has a line break or a zero byte in it", quote(l.Key))
	}
	if n := len(l.Key) + 2 + len(l.Value); n > maxLine {
		return fmt.Errorf("a line of %d bytes; %d is the most", n, maxLine)
	}
	return nil
}
