package hosts

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Dial connects from a host by TCP.
func (l *Lab) Dial(name string, to netip.AddrPort) (net.Conn, error) {
	there, err := os.Open("/run/netns/" + l.tag + name)
	if err != nil {
		return nil, err
	}
	defer there.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer here.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, os.NewSyscallError("setns", err)
	}
	defer func() {
		if err := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(err) // the thread would run anything else on the wrong host
		}
	}()
	return net.DialTimeout("tcp", to.String(), 5*time.Second)
}
