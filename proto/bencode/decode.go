package bencode

import (
	"errors"
	"fmt"
	"strconv"
)

// Decode reads the one value that b consists of. Bytes after it are an error.
// The result shares no memory with b.
func Decode(b []byte) (any, error) {
	d := decoder{b: b}
	return d.all()
}

// DecodeLoose is Decode for what others wrote and nothing is signed by: the
// keys of a dictionary may stand in any order, and of one that is there more
// than once the last counts; numbers may have leading zeros. The limits are the
// same.
func DecodeLoose(b []byte) (any, error) {
	d := decoder{b: b, loose: true}
	return d.all()
}

// DecodePrefix reads the value that b begins with, as DecodeLoose does, and
// returns the bytes that follow it, which are part of b. Messages such as those
// of BEP 9 carry data there.
func DecodePrefix(b []byte) (v any, rest []byte, err error) {
	d := decoder{b: b, loose: true}
	return d.prefix()
}

// all reads the one value that b consists of.
func (d *decoder) all() (any, error) {
	v, rest, err := d.prefix()
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("bencode: byte %d: %d bytes are left over after the value", d.pos, len(rest))
	}
	return v, nil
}

// prefix reads the value that b begins with.
func (d *decoder) prefix() (v any, rest []byte, err error) {
	v, err = d.value(0)
	if err != nil {
		return nil, nil, fmt.Errorf("bencode: byte %d: %w", d.pos, err)
	}
	return v, d.b[d.pos:], nil
}

var errEnds = errors.New("the data ends in the middle of a value")

// decoder stands at b[pos]. After an error pos is where it was noticed.
type decoder struct {
	b     []byte
	pos   int
	loose bool // see DecodeLoose
	taken int  // bytes of memory, about, without those of strings themselves
}

// What values take in memory, about: what stands for them where they are kept,
// with room to grow, and their own.
const (
	valueMemory = 48
	textMemory  = 16
	dictMemory  = 48
	keyMemory   = 48
	firstKey    = 320 // a map with anything in it
)

// take counts memory before it is taken.
func (d *decoder) take(bytes int) error {
	if d.taken += bytes; d.taken > MaxMemory {
		return fmt.Errorf("its values take more than %d MiB of memory", MaxMemory>>20)
	}
	return nil
}

// value reads the value at pos, which lies inside depth lists and dictionaries.
func (d *decoder) value(depth int) (any, error) {
	if d.pos == len(d.b) {
		return nil, errEnds
	}
	if err := d.take(valueMemory); err != nil {
		return nil, err
	}
	switch c := d.b[d.pos]; {
	case c == 'i':
		d.pos++
		return d.integer('e', true)
	case c >= '0' && c <= '9':
		return d.text()
	case c == 'l' || c == 'd':
		if depth == MaxDepth {
			return nil, fmt.Errorf("nested more than %d deep", MaxDepth)
		}
		d.pos++
		if c == 'l' {
			return d.list(depth + 1)
		}
		return d.dictionary(depth + 1)
	default:
		return nil, fmt.Errorf("expected a value, found %q", c)
	}
}

// ended steps over the 'e' that closes a list or dictionary, if it is there.
func (d *decoder) ended() bool {
	if d.pos < len(d.b) && d.b[d.pos] == 'e' {
		d.pos++
		return true
	}
	return false
}

func (d *decoder) list(depth int) ([]any, error) {
	list := []any{}
	for !d.ended() {
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (d *decoder) dictionary(depth int) (map[string]any, error) {
	if err := d.take(dictMemory); err != nil {
		return nil, err
	}
	dict := map[string]any{}
	last := ""
	for !d.ended() {
		more := keyMemory
		if len(dict) == 0 {
			more += firstKey
		}
		if err := d.take(more); err != nil {
			return nil, err
		}
		start := d.pos
		key, err := d.text()
		if err != nil {
			return nil, err
		}
		if !d.loose && len(dict) > 0 && key <= last {
			d.pos = start
			return nil, fmt.Errorf("key %.60q stands after key %.60q; keys are sorted and appear once", key, last)
		}
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		dict[key] = v
		last = key
	}
	return dict, nil
}

// text reads a byte string. Its length is compared with what is left before
// memory is taken for it.
func (d *decoder) text() (string, error) {
	n, err := d.textLength()
	if err != nil {
		return "", err
	}
	if err := d.take(textMemory); err != nil {
		return "", err
	}
	s := string(d.b[d.pos : d.pos+n])
	d.pos += n
	return s, nil
}

// textLength reads the length of a byte string, which is there.
func (d *decoder) textLength() (int, error) {
	n, err := d.integer(':', false)
	if err != nil {
		return 0, err
	}
	if n > int64(len(d.b)-d.pos) {
		return 0, fmt.Errorf("a string of %d bytes where %d are left", n, len(d.b)-d.pos)
	}
	return int(n), nil
}

// maxDigits is the length of the longest int64, its sign counted.
const maxDigits = 20

// integer reads a number up to the byte end and steps over that. A number has
// one spelling, unless the decoder is loose: no leading zeros, no minus zero, no
// plus sign.
func (d *decoder) integer(end byte, signed bool) (int64, error) {
	start, pos := d.pos, d.pos
	if signed && pos < len(d.b) && d.b[pos] == '-' {
		pos++
	}
	digits := pos
	for pos < len(d.b) && pos-start <= maxDigits && d.b[pos] >= '0' && d.b[pos] <= '9' {
		pos++
	}
	if pos == len(d.b) {
		return 0, errEnds
	}
	if pos == digits || d.b[pos] != end {
		return 0, fmt.Errorf("expected a number that ends with %q", end)
	}
	if !d.loose && d.b[digits] == '0' && (pos-digits > 1 || digits > start) {
		return 0, errors.New("a number with a leading zero or a minus zero")
	}
	n, err := strconv.ParseInt(string(d.b[start:pos]), 10, 64)
	if err != nil {
		return 0, errors.New("a number beyond 64 bits")
	}
	d.pos = pos + 1
	return n, nil
}
