// Package mtu keeps connections going over paths on which large packets vanish
// and nobody is told: an MTU hole, such as a tunnel makes whose routers may not
// say that a packet is too large for it. TCP alone sends the same packet again
// until it gives up.
//
// Who has little to say makes its packets small from the start ([Dialer],
// [Listen]). Others find out when packets vanish ([Vanishing]), let routers
// fragment them ([Fragment]) and, if that does not help, connect anew with
// smaller ones ([Limit]). All of it does something on Linux alone.
package mtu

import (
	"context"
	"net"
	"syscall"
	"time"
)

// How many bytes of TCP a packet carries that passes everywhere by IPv6, where
// 1280 bytes pass by the standard, and about everywhere by IPv4; and how many by
// IPv4 even where hosts need take no larger ones.
const (
	Small = 1220
	Least = 536
)

// Dialer returns a dialer of connections with small packets.
func Dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, Control: Limit(Small)}
}

// Listen listens for connections with small packets.
func Listen(address string) (net.Listener, error) {
	listen := net.ListenConfig{Control: Limit(Small)}
	listen.SetMultipathTCP(false) // its sockets do not have the options
	return listen.Listen(context.Background(), "tcp", address)
}

// Limit is for the Control of a dialer or a listener. Packets of its connections
// carry so many bytes at most, in both directions, and those that this end sends
// may be fragmented on their way.
func Limit(bytes int) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		limit(c, bytes)
		return nil
	}
}
