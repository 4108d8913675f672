package member

import (
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"orchestra/orch"
	"orchestra/proto/mse"
	"orchestra/proto/secure"
)

func TestHowConnectionsBegin(t *testing.T) {
	const plain, secure, encrypted, other = "plain", "TLS", "encrypted", "something else"
	for _, test := range []struct{ said, want string }{
		{"\x13BitTorrent protocol", plain},
		{"\x13BitTorrent protoco\xff", encrypted}, // a random number may begin so
		{"\x13\xd5itTorrent protoco1", encrypted},
		{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\xd5\xe6\xf7\x81\x92\xa3\xb4\xc5\xd6", secure},
		{"\x16\x03\x01\x02\x00\x01", secure}, // all that is needed
		{"\x16\x03\x01\x02\x00\x02\x00\x01\xfc\x03\x03\xd5\xe6\xf7\x81\x92\xa3\xb4\xc5\xd6", encrypted},
		{"noise or whatever \xc3\xa4", encrypted},
		{"\xff\xfe\xfd too little", other},
		{"GET /announce HTTP/1.0\r\n"[:20], other},
		{"SSH-2.0-OpenSSH_9.2p1"[:20], other},
		{"", other},
	} {
		head := []byte(test.said)
		got := other
		switch {
		case string(head) == plainBeginning:
			got = plain
		case isTLS(head):
			got = secure
		case mayBeEncrypted(head):
			got = encrypted
		}
		if got != test.want {
			t.Errorf("%q is taken for %s, want %s", test.said, got, test.want)
		}
	}
}

// greeter is a host that accepts and has no member.
func greeter(t *testing.T) (h *Host, end func()) {
	t.Helper()
	h, err := NewHost(HostConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); h.accept(ctx) }()
	return h, func() { cancel(); <-done }
}

// settle has a host serve a member that does nothing.
func settle(h *Host, id orch.ID, key *secure.Key) (end func()) {
	m := &Member{id: id, cfg: Config{Key: key}, inbox: make(chan event, 1000)}
	h.mu.Lock()
	h.members[id] = m
	h.mu.Unlock()
	return h.serve(m)
}

func dialed(t *testing.T, h *Host) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", h.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

// Where nobody without a key is to find anything, no encrypted handshake is answered.
func TestOnlyOpenHostsAnswerEncrypted(t *testing.T) {
	h, end := greeter(t)
	defer end()
	key, err := secure.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	private := orch.ID{1}
	defer settle(h, private, key)()
	if a, err := mse.Open(dialed(t, h), private, methods, nil); err == nil {
		t.Errorf("answered: %+v", a)
	}
	if said, err := io.ReadAll(noise(t, h)); err == nil && len(said) > 0 {
		t.Errorf("noise is answered with %d bytes", len(said))
	}
	endOpen := settle(h, orch.ID{2}, nil)
	conn := noise(t, h)
	if n, err := io.ReadFull(conn, make([]byte, 96)); err != nil {
		t.Errorf("beside an open one: %d bytes, %v", n, err)
	}
	conn.Close()
	if a, err := mse.Open(dialed(t, h), private, methods, nil); err == nil {
		t.Errorf("the private one is found: %+v", a)
	}
	endOpen()
	if h.open() {
		t.Error("it is open for one that has left")
	}
}

// noise is a connection that begins with what may be an encrypted handshake.
func noise(t *testing.T, h *Host) net.Conn {
	t.Helper()
	conn := dialed(t, h)
	key := make([]byte, 96)
	key[0], key[1] = 0x70, 0xd5
	if _, err := conn.Write(key); err != nil {
		t.Fatal(err)
	}
	return conn
}

// Encrypted handshakes that strangers begin without end are computed for at a bounded rate.
func TestEncryptedFlood(t *testing.T) {
	h, end := greeter(t)
	defer end()
	defer settle(h, orch.ID{2}, nil)()
	h.encrypted.SetLimit(0) // what is left is the burst
	var conns []net.Conn
	for range encryptedBurst + 50 {
		conns = append(conns, noise(t, h))
	}
	answered := 0
	for _, conn := range conns {
		n, _ := io.ReadFull(conn, make([]byte, 96)) // until it is answered, or ended
		if n == 96 {
			answered++
		}
	}
	if answered > encryptedBurst {
		t.Errorf("%d handshakes are computed for, want at most %d", answered, encryptedBurst)
	}
}

// Who has to go while it is greeted waits for nothing any more.
func TestGreetingEndsWithItsPlace(t *testing.T) {
	h, end := greeter(t)
	defer end()
	ctx, cancel := context.WithCancel(t.Context())
	var g gate
	g.enter(&greeted{dialed(t, h).(*net.TCPConn), cancel}, h.Addr())
	for range greetingMost - 1 {
		g.enter(&quiet{}, h.Addr())
	}
	if ctx.Err() != nil {
		t.Error("it ends while there is room")
	}
	g.enter(&quiet{}, h.Addr())
	if ctx.Err() == nil {
		t.Error("it goes on without a place")
	}
}

func somewhere(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 6881)
}

func TestEncryptedOnlyIsBounded(t *testing.T) {
	var e encryptedOnly
	addr := somewhere(1)
	e.set(addr, false)
	if e.has(addr) {
		t.Error("what is not so is remembered")
	}
	e.set(addr, true)
	if !e.has(addr) || e.has(somewhere(2)) {
		t.Error("what is so is not remembered")
	}
	e.set(addr, false)
	if e.has(addr) {
		t.Error("it is not forgotten")
	}
	for i := range 3 * encryptedMost {
		e.set(somewhere(i), true)
		if !e.has(somewhere(i)) {
			t.Fatal("the last one is forgotten")
		}
	}
	if len(e.addrs) != encryptedMost {
		t.Errorf("%d are remembered, want %d", len(e.addrs), encryptedMost)
	}
}
