package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestPlainly(t *testing.T) {
	missing := &fs.PathError{Op: "stat", Path: "a.orch", Err: syscall.ENOENT}
	noHost := &net.DNSError{Err: "no such host", Name: "h", Server: "10.0.0.1:53", IsNotFound: true}
	broken := &net.DNSError{Err: "server misbehaving", Name: "h", Server: "10.0.0.1:53"}
	refused := os.NewSyscallError("connect", syscall.ECONNREFUSED)
	taken := os.NewSyscallError("bind", syscall.EADDRINUSE)
	dial := func(err error) error {
		addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
		return &net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: err}
	}
	for want, err := range map[string]error{
		"a.orch: no such file or directory":                missing,
		"cannot publish a.orch: no such file or directory": fmt.Errorf("cannot publish %w", missing),
		"write a.orch: no space left on device": &fs.PathError{
			Op: "write", Path: "a.orch", Err: syscall.ENOSPC,
		},
		"h:1: nothing listens there":                               fmt.Errorf("h:1: %w", dial(refused)),
		"h:1: there is no host of this name":                       fmt.Errorf("h:1: %w", dial(noHost)),
		"h:1: its name cannot be looked up: server misbehaving":    fmt.Errorf("h:1: %w", dial(broken)),
		"cannot listen on :1: address already in use":              fmt.Errorf("cannot listen on :1: %w", taken),
		"cannot listen on nosuch:1: there is no host of this name": fmt.Errorf("cannot listen on nosuch:1: %w", noHost),
		"it is no key": errors.New("it is no key"),
	} {
		if got := plainly(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
