package member

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// listen binds the address, or the first free port of the usual ones, or any.
func listen(addr string) (*net.TCPListener, error) {
	if addr != "" {
		if !strings.Contains(addr, ":") {
			addr = ":" + addr
		}
		return bind(addr)
	}
	for port := firstPort; port <= lastPort; port++ {
		if l, err := bind(fmt.Sprintf(":%d", port)); err == nil {
			return l, nil
		}
	}
	return bind(":0")
}

func bind(addr string) (*net.TCPListener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, &ListenError{addr, err}
	}
	return l.(*net.TCPListener), nil
}
