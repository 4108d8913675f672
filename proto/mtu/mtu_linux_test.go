package mtu

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Either end alone makes the packets of both small.
func TestPacketsAreSmall(t *testing.T) {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	small, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	for _, tt := range []struct {
		name   string
		ln     net.Listener
		dialer *net.Dialer
		most   uint32 // bytes of a packet; 0: as loopback has it
	}{
		{"nobody", plain, new(net.Dialer), 0},
		{"who dials", plain, Dialer(time.Minute), Small},
		{"who dials, least", plain, &net.Dialer{Control: Limit(Least)}, Least},
		{"who listens", small, new(net.Dialer), Small},
	} {
		out, err := tt.dialer.Dial("tcp", tt.ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		in, err := tt.ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		for _, conn := range []net.Conn{out, in} {
			if got := mss(t, conn); tt.most > 0 && got > tt.most || tt.most == 0 && got <= Small {
				t.Errorf("%s: packets of %d bytes, want %d at most", tt.name, got, tt.most)
			}
		}
		if times, arrived := Vanishing(out.(*net.TCPConn)); times != 0 || arrived {
			t.Errorf("%s: %d times in vain, %v, before anything was sent", tt.name, times, arrived)
		}
		Fragment(in.(*net.TCPConn))
		if got := discovery(t, in); got != unix.IP_PMTUDISC_DONT {
			t.Errorf("%s: path MTU discovery is %d", tt.name, got)
		}
		out.Close()
		in.Close()
	}
}

func mss(t *testing.T, conn net.Conn) (bytes uint32) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		var info *unix.TCPInfo
		if info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			bytes = info.Snd_mss
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func discovery(t *testing.T, conn net.Conn) (how int) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		how, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER)
	})
	if err != nil {
		t.Fatal(err)
	}
	return how
}
