package conduct

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"orchestra/proto"
	"orchestra/proto/mse"
	"orchestra/proto/mse/msetest"
)

// A client that is set to require encryption is found where it says that it is, and
// if the first secret with it is of no use.
func TestClientRequiresEncryption(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	var once sync.Once
	work.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer nc.Close()
				first := make([]byte, 20)
				if _, err := io.ReadFull(nc, first); err != nil || first[0] == 19 {
					return
				}
				in := &through{nc, io.MultiReader(bytes.NewReader(first), nc)}
				isFirst := false
				once.Do(func() { isFirst = true })
				if isFirst {
					if err := msetest.AnswerShort(in); err == nil {
						_, _ = io.Copy(io.Discard, nc) // until it is given up
					}
					return
				}
				agreed, err := mse.Answer(in, mse.RC4, func(name [20]byte) ([20]byte, bool) {
					return testID, name == mse.Name(testID)
				})
				if err != nil || len(agreed.Initial) != 68 {
					return
				}
				hello := proto.Handshake{Protocol: proto.BitTorrent, ID: testID, PeerID: peerN(1)}
				_, _ = agreed.Writer(nc).Write(hello.Append(nil))
				_, _ = io.Copy(io.Discard, nc)
			})
		}
	})
	defer work.Wait()
	defer ln.Close()
	c := serving(t, Config{})
	at := netip.MustParseAddrPort(ln.Addr().String())
	for _, test := range []struct {
		what  string
		d     dialBack
		found finding
	}{
		{"a guest", dialBack{id: testID, guest: true}, foundMember},
		{"a guest that shares something else", dialBack{id: [20]byte{1}, guest: true}, foundOther},
		{"a member", dialBack{id: testID}, foundOther},
	} {
		test.d.host, test.d.from = at.String(), at.Addr()
		if _, found := c.callBack(t.Context(), test.d, c.open); found != test.found {
			t.Errorf("%s: found %d, want %d", test.what, found, test.found)
		}
	}
}
