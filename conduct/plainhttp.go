package conduct

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// serveClient answers the plain requests on a connection, the first of which has to be there until
// some time. From the first other one on, net/http has the connection: it gets what was read of
// that, and the time that is left.
func (c *Conductor) serveClient(
	ctx context.Context, nc net.Conn, in *bufio.Reader, s seat, place *pass, until time.Time,
) error {
	buf, from, to := make([]byte, plainMost), 0, 0 // what is not answered yet is buf[from:to]
	for {
		n, then, err := c.answerPlain(ctx, nc, buf[from:to], s)
		if from += n; n > 0 && then != plainEnds {
			place.spoke()
			until = time.Now().Add(c.cfg.HandshakeTimeout)
			nc.SetReadDeadline(until)
		}
		if then == plainReads {
			to, from = copy(buf, buf[from:to]), 0
			if n, err = in.Read(buf[to:]); err != nil {
				then = plainOther // what there is stays half a request
			}
			to += n
		}
		switch {
		case then == plainEnds:
			return err
		case then == plainOther && from == to:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case then == plainOther:
			rest := io.MultiReader(bytes.NewReader(buf[from:to]), in)
			return c.serveHTTP(nc, rest, s, place, until, c.open)
		}
	}
}

// A plainThen is what is to be done after plain requests.
type plainThen uint8

const (
	plainReads plainThen = iota // there is more to read, of a request that may be plain
	plainOther                  // another request follows
	plainEnds                   // the connection ends
)

// answerPlain answers the plain requests at the beginning of b, which has any number of them, and
// returns how long they are. Answers to requests that came together go out together.
func (c *Conductor) answerPlain(
	ctx context.Context, nc net.Conn, b []byte, s seat,
) (n int, then plainThen, err error) {
	d := c.takeDesk()
	out := d.out[:0]
	for then == plainReads {
		r, length, plain := readPlain(b[n:])
		if !plain {
			then = plainOther
		}
		if length == 0 {
			break
		}
		n += length
		body, keep, ok := c.answer(ctx, d, r.question, r.query, s, d.body[:0])
		if !ok {
			return n, plainEnds, ctx.Err()
		}
		d.body = body
		if !keep || r.closes {
			then = plainEnds
		}
		out = appendHead(out, len(body), keep, r.closes, time.Now())
		out = append(out, body...)
		if len(out) >= deskKeeps {
			if err := c.sendPlain(nc, out); err != nil {
				return n, plainEnds, err
			}
			out = out[:0]
		}
	}
	if len(out) > 0 {
		err = c.sendPlain(nc, out)
	}
	d.out = out
	c.putDesk(d)
	if err != nil {
		then = plainEnds
	}
	return n, then, err
}

func (c *Conductor) sendPlain(nc net.Conn, out []byte) error {
	nc.SetWriteDeadline(time.Now().Add(c.cfg.WriteTimeout))
	_, err := nc.Write(out)
	return err
}

// appendHead appends what comes before the text of an answer, as net/http has it.
func appendHead(b []byte, length int, keep, closes bool, now time.Time) []byte {
	const ends = "Connection: close\r\n"
	b = append(b, "HTTP/1.1 200 OK\r\n"...)
	if !keep {
		b = append(b, ends...)
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	b = append(b, "\r\nContent-Type: "+answerKind+"\r\nServer: "+ourServer+"\r\nDate: "...)
	b = now.UTC().AppendFormat(b, http.TimeFormat)
	b = append(b, "\r\n"...)
	if keep && closes {
		b = append(b, ends...)
	}
	return append(b, "\r\n"...)
}
