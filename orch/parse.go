package orch

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// ParseError says what is wrong with an .orch file, and where.
type ParseError struct {
	Path string // empty if the text did not come from a file
	Line int    // counted from 1
	Err  error
}

func (e *ParseError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("%s: line %d: %v", e.Path, e.Line, e.Err)
}

func (e *ParseError) Unwrap() error { return e.Err }

var errTooLong = fmt.Errorf("the .orch file is longer than %d MiB", MaxFileSize>>20)

// Open reads the .orch file at path. What is wrong in it is a *ParseError.
func Open(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := Parse(r)
	if pe, ok := errors.AsType[*ParseError](err); ok {
		pe.Path = path
	}
	return f, err
}

// Parse reads an .orch file to its end. Errors, those of r included, are of
// type *ParseError. The memory it takes grows with what was read, never with
// what a line claims.
func Parse(r io.Reader) (*File, error) { return parse(r, MaxFileSize) }

func parse(r io.Reader, limit int64) (*File, error) {
	p := parser{r: bufio.NewReaderSize(r, maxHeadLine+2), left: limit}
	f, err := p.file()
	if err != nil {
		return nil, &ParseError{Line: max(p.line, 1), Err: err}
	}
	return f, nil
}

type parser struct {
	r    *bufio.Reader
	left int64 // bytes that may still be read
	line int   // number of the line read last, from 1
}

// file reads everything. An error it returns belongs to p.line.
func (p *parser) file() (*File, error) {
	f := &File{}
	if err := p.head(f); err != nil {
		return nil, err
	}
	if err := p.parts(f); err != nil {
		return nil, err
	}
	if err := p.lines(f); err != nil {
		return nil, err
	}
	return f, nil
}

// unknownChecksum stands in line 3 where nobody knows the checksum of the whole, as in a
// composition that was made from a torrent.
const unknownChecksum = "unknown"

// head reads lines 1 to 6.
func (p *parser) head(f *File) error {
	text, err := p.expect("the conductor, HOST:PORT")
	if err != nil {
		return err
	}
	f.Conductor = text
	if err := checkConductor(text); err != nil {
		return err
	}
	if text, err = p.expect("the name"); err != nil {
		return err
	}
	if f.Name, err = ReadName(text); err != nil {
		return err
	}
	if text, err = p.expect("the checksum of the whole content"); err != nil {
		return err
	}
	if text != unknownChecksum && len(text) != hex.EncodedLen(SHA1.Size()) && len(text) != hex.EncodedLen(SHA256.Size()) {
		return fmt.Errorf("expected a checksum of 40 (SHA-1) or 64 (SHA-256) hex digits, found %s", quote(text))
	}
	if text != unknownChecksum {
		if f.Checksum, err = hex.DecodeString(text); err != nil {
			return fmt.Errorf("expected a checksum of %d hex digits, found %s", len(text), quote(text))
		}
	}
	if f.Size, err = p.number("the size in bytes"); err != nil {
		return err
	}
	if f.PartSize, err = p.number("the part size in bytes"); err != nil {
		return err
	}
	if err := checkPartSize(f.PartSize); err != nil {
		return err
	}
	count, err := p.number("the number of parts")
	if err != nil {
		return err
	}
	return checkCount(count, f.Size, f.PartSize, f.Hash())
}

// firstRoom is for how many bytes of checksums memory is taken before any of
// them was read.
const firstRoom = 64 << 10

// parts reads a checksum a line. The room for them grows with what is there,
// and ends up as large as they are.
func (p *parser) parts(f *File) error {
	n, size := f.NumParts(), f.Hash().Size()
	sums := make([]byte, 0, min(n*size, firstRoom))
	var sum [32]byte
	for i := range n {
		text, ok, err := p.next(maxHeadLine)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("expected the checksum of part %d of %d, but the file ends here", i+1, n)
		}
		if len(text) != hex.EncodedLen(size) {
			return fmt.Errorf("expected the checksum of part %d of %d, %d hex digits as in line %d, found %s",
				i+1, n, hex.EncodedLen(size), lineChecksum, quote(string(text)))
		}
		if _, err := hex.Decode(sum[:size], text); err != nil {
			return fmt.Errorf("expected the checksum of part %d of %d, %d hex digits, found %s",
				i+1, n, hex.EncodedLen(size), quote(string(text)))
		}
		if len(sums)+size > cap(sums) {
			sums = append(make([]byte, 0, min(n*size, 2*cap(sums))), sums...)
		}
		sums = append(sums, sum[:size]...)
	}
	f.PartSums = sums
	return nil
}

// lines reads the optional lines, to the end of the file.
func (p *parser) lines(f *File) error {
	check := newLineCheck(f)
	for {
		text, ok, err := p.next(maxLine)
		if err != nil {
			return err
		}
		if !ok {
			p.line-- // what is wrong with the whole is said of the last line
			f.Lines = slices.Clip(f.Lines)
			return check.end()
		}
		key, value, ok := strings.Cut(string(text), ": ")
		if !ok {
			return fmt.Errorf("expected `key: value` or the end, since all %d parts are there, found %s", f.NumParts(), quote(string(text)))
		}
		l := Line{Key: key, Value: value}
		if err := check.add(l); err != nil {
			return err
		}
		f.Lines = append(f.Lines, l)
	}
}

// expect reads a line that must be there, and is called what in errors.
func (p *parser) expect(what string) (string, error) {
	text, ok, err := p.next(maxHeadLine)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fmt.Errorf("expected %s, but the file ends here", what)
	}
	return string(text), nil
}

func (p *parser) number(what string) (int64, error) {
	text, err := p.expect(what)
	if err != nil {
		return 0, err
	}
	n, err := parseNumber(text)
	if err != nil {
		return 0, fmt.Errorf("expected %s: %w", what, err)
	}
	return n, nil
}

// parseNumber reads a number as the writer spells it: decimal digits, no sign,
// no blanks, no leading zero.
func parseNumber(s string) (int64, error) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || i == 1 && s[0] == '0' {
			return 0, fmt.Errorf("a number of decimal digits alone, found %s", quote(s))
		}
	}
	if s == "" {
		return 0, errors.New("a number, found nothing")
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is more than 64 bits hold", quote(s))
	}
	return n, nil
}

// next reads a line of at most longest bytes and gives it without its end, LF
// or CRLF, which the last line may lack. It is not ok at the end of the file.
// The bytes are good until the next call.
func (p *parser) next(longest int) (text []byte, ok bool, err error) {
	p.line++
	var long []byte
	for {
		text, err = p.r.ReadSlice('\n')
		if p.left -= int64(len(text)); p.left < 0 {
			return nil, false, errTooLong
		}
		if long != nil || errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, text...)
			text = long
		}
		if !errors.Is(err, bufio.ErrBufferFull) || len(text) > longest+2 {
			break
		}
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, false, err
	}
	if len(text) == 0 {
		return nil, false, nil
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\r"))
	if len(text) > longest {
		return nil, false, fmt.Errorf("the line is longer than %d bytes; is this an .orch file?", longest)
	}
	return text, true, nil
}
