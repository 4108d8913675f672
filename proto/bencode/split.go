package bencode

import "fmt"

// Split reads the one dictionary that b consists of, and gives its values as
// they are encoded. They share memory with b. The keys may stand in any order;
// of one that is there more than once the last counts. Numbers within may have
// leading zeros, and keys any order: whoever needs a value to be strict decodes
// it.
func Split(b []byte) (map[string]Raw, error) {
	d := decoder{b: b, loose: true}
	dict, err := d.split()
	if err != nil {
		return nil, fmt.Errorf("bencode: byte %d: %w", d.pos, err)
	}
	return dict, nil
}

func (d *decoder) split() (map[string]Raw, error) {
	if len(d.b) == 0 || d.b[0] != 'd' {
		return nil, fmt.Errorf("expected a dictionary")
	}
	d.pos++
	dict := map[string]Raw{}
	for !d.ended() {
		key, err := d.text()
		if err != nil {
			return nil, err
		}
		start := d.pos
		if err := d.skip(1); err != nil {
			return nil, err
		}
		dict[key] = Raw(d.b[start:d.pos:d.pos])
	}
	if d.pos != len(d.b) {
		return nil, fmt.Errorf("%d bytes are left over after the value", len(d.b)-d.pos)
	}
	return dict, nil
}

// skip steps over the value at pos, which lies inside depth lists and
// dictionaries, and takes no memory for it.
func (d *decoder) skip(depth int) error {
	if d.pos == len(d.b) {
		return errEnds
	}
	switch c := d.b[d.pos]; {
	case c == 'i':
		d.pos++
		_, err := d.integer('e', true)
		return err
	case c >= '0' && c <= '9':
		return d.skipText()
	case c == 'l' || c == 'd':
		if depth == MaxDepth {
			return fmt.Errorf("nested more than %d deep", MaxDepth)
		}
		d.pos++
		for !d.ended() {
			if c == 'd' {
				if err := d.skipText(); err != nil {
					return err
				}
			}
			if err := d.skip(depth + 1); err != nil {
				return err
			}
		}
		return nil
	default:
		return fmt.Errorf("expected a value, found %q", c)
	}
}

func (d *decoder) skipText() error {
	n, err := d.textLength()
	if err != nil {
		return err
	}
	d.pos += n
	return nil
}
