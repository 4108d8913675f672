package conduct

import (
	"bytes"
	"errors"
	"fmt"

	"orchestra/proto"
)

// params goes over the parameters of a query, which it reads as url.ParseQuery does. What it
// returns lies in the query, or in room where that is large enough.
type params struct {
	rest []byte // of the query
	room []byte // for what is unescaped

	key, value []byte // of the parameter at hand; never nil
	malformed  bool
}

// next goes on to the next parameter. There is none after one that is malformed.
func (p *params) next() bool {
	for len(p.rest) > 0 {
		part := p.rest
		if i := bytes.IndexByte(part, '&'); i >= 0 {
			part, p.rest = part[:i], part[i+1:]
		} else {
			p.rest = nil
		}
		if len(part) == 0 {
			continue
		}
		key, value := part, part[len(part):]
		if i := bytes.IndexByte(part, '='); i >= 0 {
			key, value = part[:i], part[i+1:]
		}
		p.key, p.value = p.unescape(key), p.unescape(value)
		if bytes.IndexByte(part, ';') >= 0 || p.key == nil || p.value == nil {
			p.malformed, p.rest = true, nil
			return false
		}
		return true
	}
	return false
}

// unescape returns a key or a value without escapes; nil if it is malformed.
func (p *params) unescape(b []byte) []byte {
	i := 0
	for i < len(b) && b[i] != '%' && b[i] != '+' {
		i++
	}
	if i == len(b) {
		return b
	}
	start := len(p.room)
	p.room = append(p.room, b[:i]...)
	for ; i < len(b); i++ {
		c := b[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if i+2 >= len(b) || !isHex(b[i+1]) || !isHex(b[i+2]) {
				return nil
			}
			c = hexDigit(b[i+1])<<4 | hexDigit(b[i+2])
			i += 2
		}
		p.room = append(p.room, c)
	}
	return p.room[start:len(p.room):len(p.room)]
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func hexDigit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0xf + 9
}

var errQuery = errors.New("the query is malformed")

// parseVisit reads the query of an announce from a seat. What it does not know is passed over; an
// "ip" is not believed. Where there is no "key", the address is: what came from one may be replaced
// from there alone. Of a parameter that is there twice, the first counts.
func parseVisit(query, room []byte, s seat) (v webGuest, compact bool, err error) {
	var id, peer, port, want, left, event, key, form []byte
	p := params{rest: query, room: room}
	for p.next() {
		var field *[]byte
		switch string(p.key) {
		case "info_hash":
			field = &id
		case "peer_id":
			field = &peer
		case "port":
			field = &port
		case "numwant":
			field = &want
		case "left":
			field = &left
		case "event":
			field = &event
		case "key":
			field = &key
		case "compact":
			field = &form
		default:
			continue
		}
		if *field == nil {
			*field = p.value
		}
	}
	switch {
	case p.malformed:
		return v, false, errQuery
	case len(id) != len(v.id) || len(peer) != len(v.peer):
		return v, false, errors.New("info_hash and peer_id have to be 20 bytes each")
	}
	at, ok := parseNumber(port, 1<<16-1)
	if !ok {
		return v, false, errors.New("port has to be a number from 0 to 65535")
	}
	v.seat = s
	copy(v.id[:], id)
	copy(v.peer[:], peer)
	v.ann = proto.Announce{Key: guestKey(key, s), Port: uint16(at), Want: maxPeers}
	if n, ok := parseNumber(want, 1<<32-1); ok {
		v.ann.Want = uint8(min(n, maxPeers))
	}
	v.ann.Parts = 1 // how many there are is not said: all of one, or none
	if string(left) == "0" {
		v.ann.Have = 1
	}
	v.event = readEvent(event)
	return v, string(form) != "0", nil
}

// parseNumber reads a number without a sign.
func parseNumber(b []byte, most uint64) (n uint64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = 10*n + uint64(c-'0'); n > most {
			return 0, false
		}
	}
	return n, len(b) > 0
}

// parseScrape reads the query of a scrape, and appends what it names to ids.
func parseScrape(ids [][20]byte, query, room []byte) ([][20]byte, error) {
	named, other := 0, false
	p := params{rest: query, room: room}
	for p.next() {
		if string(p.key) != "info_hash" {
			continue
		}
		named++
		switch {
		case len(p.value) != len([20]byte{}):
			other = true
		case named <= mostScraped:
			ids = append(ids, [20]byte(p.value))
		}
	}
	switch {
	case p.malformed:
		return nil, errQuery
	case named == 0:
		return nil, errors.New("a scrape names its info_hash; all are not told")
	case named > mostScraped:
		return nil, fmt.Errorf("a scrape names %d info_hash at most", mostScraped)
	case other:
		return nil, errors.New("info_hash has to be 20 bytes")
	}
	return ids, nil
}
