package conduct

import "bytes"

// Most requests of BitTorrent clients are plain: an announce or a scrape by GET and HTTP/1.1, with
// a few headers, and complete at its blank line. Those are read here. Whether one is plain is a
// question with two answers and no mistakes: what is not known to mean nothing, or is not written
// as the standard has it, is net/http's to judge, with all that it does. So nothing here guesses
// where a request ends.

// plainMost is how long a plain request is at most, in bytes.
const plainMost = 2 << 10

// A plainRequest is what a plain request asks.
type plainRequest struct {
	question question
	query    []byte
	closes   bool // it is to be the last on its connection
}

// The beginnings of plain requests, by the question.
var plainStarts = [...]string{announcing: "GET /announce?", scraping: "GET /scrape?"}

const plainTail = " HTTP/1.1"

// readPlain reads the request at the beginning of b, of length n. If n is 0, b is the beginning of
// what may be a plain request; if plain is false, it is that of another one.
func readPlain(b []byte) (r plainRequest, n int, plain bool) {
	start := ""
	for q, s := range plainStarts {
		if l := min(len(s), len(b)); string(b[:l]) == s[:l] {
			r.question, start = question(q), s
			break
		}
	}
	if start == "" {
		return r, 0, false
	}
	rest := b[:min(len(b), plainMost)]
	line, rest, is := cutLine(rest)
	switch {
	case is == linePart:
		return r, 0, len(b) < plainMost
	case is == lineOther, len(line) < len(start)+len(plainTail),
		!bytes.HasSuffix(line, []byte(plainTail)):
		return r, 0, false
	}
	r.query = line[len(start) : len(line)-len(plainTail)]
	if bytes.ContainsAny(r.query, " \t#") {
		return r, 0, false
	}
	var hosts, connections int
	for {
		line, rest, is = cutLine(rest)
		switch {
		case is == linePart:
			return r, 0, len(b) < plainMost
		case is == lineOther:
			return r, 0, false
		case len(line) == 0:
			if hosts != 1 {
				return r, 0, false
			}
			return r, min(len(b), plainMost) - len(rest), true
		}
		switch name, value := readHeader(line); name {
		case headerHost:
			hosts++
			if hosts > 1 || !isPlainHost(bytes.Trim(value, " \t")) {
				return r, 0, false
			}
		case headerConnection:
			connections++
			value = bytes.Trim(value, " \t")
			r.closes = bytes.EqualFold(value, []byte("close"))
			if connections > 1 || !r.closes && !bytes.EqualFold(value, []byte("keep-alive")) {
				return r, 0, false
			}
		case headerOther:
			return r, 0, false
		}
	}
}

// A lineIs is what a line is as far as it is there.
type lineIs uint8

const (
	linePart  lineIs = iota // its end is not there yet
	lineWhole               // it has nothing but text in it, and ends as the standard has it
	lineOther
)

// cutLine returns the first line of b without its end, and what comes after that.
func cutLine(b []byte) (line, rest []byte, is lineIs) {
	for i, c := range b {
		switch {
		case ' ' <= c && c < 0x7f, c == '\t':
		case c != '\r':
			return nil, b, lineOther
		case i+1 == len(b):
			return nil, b, linePart
		case b[i+1] != '\n':
			return nil, b, lineOther
		default:
			return b[:i], b[i+2:], lineWhole
		}
	}
	return nil, b, linePart
}

// A headerName is what a plain request may have.
type headerName uint8

const (
	headerOther headerName = iota
	headerIdle             // it changes nothing
	headerHost
	headerConnection
)

// readHeader reads a header. Its value has the blanks around it. Of a line that is none, one that
// continues another line, or one with blanks before its colon, the name is another one.
func readHeader(line []byte) (name headerName, value []byte) {
	colon := bytes.IndexByte(line, ':')
	var room [len("accept-encoding")]byte
	if colon < 0 || colon > len(room) {
		return headerOther, nil
	}
	for i, c := range line[:colon] {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		room[i] = c
	}
	switch string(room[:colon]) {
	case "host":
		name = headerHost
	case "connection":
		name = headerConnection
	case "accept", "accept-charset", "accept-encoding", "accept-language",
		"cache-control", "pragma", "user-agent", "want-digest":
		name = headerIdle
	}
	return name, line[colon+1:]
}

// isPlainHost reports whether a host is written in letters that every host may be written in.
func isPlainHost(b []byte) bool {
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case c == '.', c == '-', c == ':', c == '[', c == ']', c == '_':
		default:
			return false
		}
	}
	return len(b) > 0
}
