//go:build !linux

package member

import (
	"context"
	"io"
	"net"
	"time"
)

// receiver and sender are the directions of a connection.
func receiver(conn *stream) io.Reader { return conn.Conn }
func sender(conn *stream) io.Writer   { return conn.Conn }

// sendHead leaves the header of a piece to go out with the content that follows.
func (c *connection) sendHead(head []byte) error { return c.copyHead(head) }

// sendContent writes a stretch of the content by way of a buffer.
func (c *connection) sendContent(ctx context.Context, off int64, left int) error {
	return c.copyContent(ctx, off, left)
}

// tune sets the options of a connection: the defaults are right here.
func (c *connection) tune() {}

// rein is for systems that let a receive buffer be bounded and set free again.
func (c *connection) rein() {}

// abandonAfter is for systems that let it be said; elsewhere probes must do.
func abandonAfter(*net.TCPConn, time.Duration) {}

// unacknowledged is for systems that tell; elsewhere nobody is given up for it.
func unacknowledged(*net.TCPConn) time.Duration { return 0 }

// holdBack is for systems on which what waits in a socket can be bounded.
func (c *connection) holdBack() {}

// expect is for systems that can let a reader sleep until enough is here.
func (c *connection) expect(int) {}

// roundTrip is for systems that tell how far away a peer is.
func roundTrip(*net.TCPConn) time.Duration { return unknownRoundTrip }
