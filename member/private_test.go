package member_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"orchestra/conduct"
	"orchestra/member"
	"orchestra/orch"
	"orchestra/proto"
	"orchestra/proto/secure"
)

// A recorder is an address that leads to another one, and keeps all that goes over it.
type recorder struct {
	addr string
	mu   sync.Mutex
	all  []*bytes.Buffer // of each direction of each connection
}

func record(t testing.TB, to string) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{addr: l.Addr().String()}
	var work sync.WaitGroup
	var open []net.Conn
	copyTo := func(to, from net.Conn) {
		kept := new(bytes.Buffer)
		r.mu.Lock()
		r.all = append(r.all, kept)
		r.mu.Unlock()
		buf := make([]byte, 64<<10)
		for {
			n, err := from.Read(buf)
			r.mu.Lock()
			kept.Write(buf[:n])
			r.mu.Unlock()
			if _, e := to.Write(buf[:n]); err != nil || e != nil {
				to.Close()
				from.Close()
				return
			}
		}
	}
	work.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			r.mu.Lock()
			open = append(open, near, far)
			r.mu.Unlock()
			work.Go(func() { copyTo(near, far) })
			work.Go(func() { copyTo(far, near) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		r.mu.Lock()
		for _, c := range open {
			c.Close()
		}
		r.mu.Unlock()
		work.Wait()
	})
	return r
}

// without fails if any of the secrets went over the wire, or if nothing did.
func (r *recorder) without(t testing.TB, secrets map[string][]byte) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := 0
	for _, wire := range r.all {
		sum += wire.Len()
		for what, secret := range secrets {
			if bytes.Contains(wire.Bytes(), secret) {
				t.Errorf("%s went over the wire", what)
			}
		}
		if wire.Len() > 0 && wire.Bytes()[0] != secure.FirstByte {
			t.Errorf("a connection begins with %x", wire.Bytes()[0])
		}
	}
	if sum == 0 {
		t.Error("nothing went over the wire")
	}
}

// The holders of a key find each other and get everything, by way of the conductor and without.
// Whoever sees every byte of it sees none of what they have or who they are.
func TestPrivateSwarm(t *testing.T) {
	s := newScore(t, 3<<20, 64<<10)
	key := newKey(t)
	s.file.SetPrivate(key.ID())
	c, _ := startConduct(t, conduct.Config{Keys: []*secure.Key{newKey(t), key}})
	atConductor := record(t, c.Addr().String())
	sharer := s.join(member.Config{Key: key, Dir: s.dir, Conductors: []string{atConductor.addr}, Name: "the sharer's name"})
	s.wantComplete(sharer)
	atSharer := record(t, sharer.Addr().String())
	peer := s.join(member.Config{Key: key, Dir: t.TempDir(), Peers: []string{atSharer.addr}})
	s.wantComplete(peer)
	told := s.join(member.Config{Key: key, Dir: t.TempDir(), Conductors: []string{atConductor.addr}})
	s.wantComplete(told)
	until(t, "the conductor has dialled the sharer back", func() bool {
		p := sharer.Progress()
		return p.Dialled && p.ConductorUp
	})
	for _, p := range []*player{told, peer, sharer} {
		if err := p.end(); err != nil {
			t.Error(err)
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(key.Text())
	if err != nil {
		t.Fatal(err)
	}
	rawID, _ := hex.DecodeString(key.ID())
	id := s.file.ID()
	secrets := map[string][]byte{
		"the key": raw[:32], "its text": []byte(key.Text()), "its ID": []byte(key.ID()), "its ID, raw": rawID,
		"the composition's ID": id[:], "that as text": []byte(id.String()), "a checksum": s.file.PartSum(3),
		"the content's name": []byte("content.bin"), "a member's name": []byte("the sharer's name"),
		"a peer id": []byte("-OR0100-"), "a protocol's name": []byte("rotocol"), "another one": []byte(proto.Orchestra),
		"content": s.content[100_000:100_032],
	}
	atConductor.without(t, secrets)
	atSharer.without(t, secrets)
}

// A stranger tries what there is to try with a member and a conductor of a private swarm, and
// learns nothing: no part, no address, no name, no count.
func TestStrangerAtPrivateSwarm(t *testing.T) {
	s := newScore(t, 300<<10, 64<<10)
	key := newKey(t)
	s.file.SetPrivate(key.ID())
	var shelf conduct.Shelf
	if err := shelf.Put("content.bin.orch", s.file); err != nil {
		t.Fatal(err)
	}
	c, _ := startConduct(t, conduct.Config{Keys: []*secure.Key{key}, Publish: &shelf, Name: "host"})
	at := c.Addr().String()
	sharer := s.join(member.Config{Key: key, Dir: s.dir, Conductors: []string{at}, Name: "xylophone"})
	s.wantComplete(sharer)
	until(t, "it is listed", func() bool { return sharer.Progress().ConductorUp })
	insider, err := conduct.DialPrivateAsker(t.Context(), at, s.file.ID(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer insider.Close()
	until(t, "its copy is known to who has the key", func() bool {
		all, err := insider.Ask(5)
		if err != nil {
			t.Fatal(err)
		}
		return all[0].Complete == 1 && len(all[0].Members) == 1 && all[0].Members[0].Label == "xylophone"
	})

	hello := func(protocol string) []byte {
		hs := proto.Handshake{Protocol: protocol, ID: s.file.ID(), PeerID: proto.PeerID{9}}
		return hs.Append(nil)
	}
	for _, test := range []struct {
		what, at string
		say      []byte
	}{
		{"a handshake", sharer.Addr().String(), hello(proto.BitTorrent)},
		{"a conductor's handshake", sharer.Addr().String(), hello(proto.Orchestra)},
		{"HTTP", sharer.Addr().String(), []byte("GET / HTTP/1.0\r\n\r\n")},
		{"noise", sharer.Addr().String(), bytes.Repeat([]byte{0xa5}, 200)},
	} {
		if said := say(t, test.at, test.say); len(said) > 0 {
			t.Errorf("%s is answered with %q", test.what, said)
		}
	}
	for _, where := range []string{sharer.Addr().String(), at} {
		if err := dialWith(t, where, newKey(t)); !errors.Is(err, secure.ErrOtherKey) {
			t.Errorf("with another key: %v", err)
		}
		said := say(t, where, []byte{secure.FirstByte, 3, 1, 0, 5, 1, 0, 0, 1, 0})
		if len(said) > 7 {
			t.Errorf("TLS that is none is answered with %x", said)
		}
	}

	for _, id := range [][20]byte{s.file.ID(), {}} {
		asker, err := conduct.DialAsker(t.Context(), at, id)
		if err != nil {
			t.Fatal(err)
		}
		all, err := asker.Ask(5)
		asker.Close()
		if err != nil || len(all) > 0 && (all[0].Known > 0 || all[0].Complete > 0 || all[0].Title != "" || all[0].Listed > 0) {
			t.Errorf("who asks for %x is told %+v, %v", id, all, err)
		}
	}
	id := s.file.ID()
	announce := "/announce?info_hash=" + url.QueryEscape(string(id[:])) + "&peer_id=-XX0000-abcdefghijkl&port=1&compact=0"
	for _, path := range []string{
		conduct.IndexPath, "/content.bin.orch", "/" + key.ID() + ".orch", "/", "/metrics", "/data", "/events", announce,
	} {
		body := httpGet(t, "http://"+at+path)
		for what, secret := range map[string]string{
			"a name": "content.bin", "a label": "xylophone", "an ID": id.String(), "the raw ID": string(id[:]), "a count": `"complete":1`,
			"a member": `members{state="complete"} 1`, "a composition": "compositions 1", "an address": sharer.Addr().String(),
			"a peer": "7:peer id", "the key's ID": key.ID(),
		} {
			if strings.Contains(body, secret) {
				t.Errorf("%s tells %s: %.300s", path, what, body)
			}
		}
	}
	getter := s.join(member.Config{Key: key, Dir: t.TempDir(), Conductors: []string{at}})
	s.wantComplete(getter)
}

// Somebody of the same content in the open does not meet the members of the private swarm, nor they
// it, at one conductor and in one host.
func TestOpenAndPrivateApart(t *testing.T) {
	private := newScore(t, 300<<10, 64<<10)
	private.file.SetPrivate("00000000000000000000000000000000")
	open := newScore(t, 300<<10, 64<<10)
	if open.file.ID() != private.file.ID() {
		t.Fatal("the contents differ")
	}
	key := newKey(t)
	private.file.SetPrivate(key.ID())
	at, _ := startConductor(t, conduct.Config{Keys: []*secure.Key{key}})
	sharer := private.join(member.Config{Key: key, Dir: private.dir, Conductors: []string{at}})
	private.wantComplete(sharer)
	alone := open.join(member.Config{Dir: t.TempDir(), Conductors: []string{at}, Peers: []string{sharer.Addr().String()}})
	until(t, "it has tried", func() bool { return strings.Contains(alone.Progress().Waiting, "ends the connection") })
	if p := alone.Progress(); p.Members > 0 || p.Stored > 0 || p.Known > 1 {
		t.Errorf("in the open: %+v", p)
	}
	if p := sharer.Progress(); p.Members > 0 || p.Known > 0 {
		t.Errorf("in the private swarm: %+v", p)
	}
}

// Who has the key cannot take the peer id of another holder, at a member or at the conductor.
func TestPrivateImpostor(t *testing.T) {
	s := newScore(t, 300<<10, 64<<10)
	key := newKey(t)
	s.file.SetPrivate(key.ID())
	at, _ := startConductor(t, conduct.Config{Keys: []*secure.Key{key}})
	sharer := s.join(member.Config{Key: key, Dir: s.dir, Conductors: []string{}})
	s.wantComplete(sharer)
	for where, protocol := range map[string]string{sharer.Addr().String(): proto.BitTorrent, at: proto.Orchestra} {
		for _, honest := range []bool{true, false} {
			as, err := key.NewIdentity()
			if err != nil {
				t.Fatal(err)
			}
			c := secureTo(t, where, as)
			hs := proto.Handshake{Protocol: protocol, ID: s.file.ID(), PeerID: as.PeerID()}
			if !honest {
				hs.PeerID[19] ^= 1
			}
			if _, err := c.Write(hs.Append(nil)); err != nil {
				t.Fatal(err)
			}
			n, err := io.ReadAtLeast(c, make([]byte, 100), 20)
			if (n > 0) != honest {
				t.Errorf("%s, honest %v: %d bytes came, %v", protocol, honest, n, err)
			}
			c.Close()
		}
	}
}

// One port, and one connection to the conductor for each swarm, is enough for a host of several.
func TestHostOfSeveralSwarms(t *testing.T) {
	one, two := newKey(t), newKey(t)
	c, _ := startConduct(t, conduct.Config{Keys: []*secure.Key{one, two}})
	front, connections := countConnections(t, c.Addr().String())
	from, to := t.TempDir(), t.TempDir()
	files := composeMany(t, from, front, 6, 100<<10)
	keys := []*secure.Key{nil, nil, one, one, two, two}
	join := func(h *member.Host, dir string) (all []*member.Member) {
		for i, f := range files {
			if keys[i] != nil {
				f.SetPrivate(keys[i].ID())
			}
			m, err := h.Join(t.Context(), member.Config{File: f, Dir: dir, Key: keys[i]})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
		return all
	}
	a, _ := startHost(t, member.HostConfig{})
	b, _ := startHost(t, member.HostConfig{})
	until(t, "the sharers have checked", allComplete(join(a, from)))
	until(t, "all is there", allComplete(join(b, to)))
	if n := connections(); n != 6 {
		t.Errorf("%d connections to the conductor, want 6", n)
	}
}

func TestKeyThatDoesNotFit(t *testing.T) {
	s := newScore(t, 100, 64<<10)
	key := newKey(t)
	private := *s.file
	private.SetPrivate(key.ID())
	for _, test := range []struct {
		file *orch.File
		key  *secure.Key
		says string
	}{
		{s.file, key, "is open"},
		{&private, nil, "is missing"},
		{&private, newKey(t), "given was key "},
	} {
		_, err := member.New(member.Config{File: test.file, Key: test.key, Dir: t.TempDir(), Listen: "127.0.0.1:0"})
		var wrong *member.KeyError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), key.Text()) {
			t.Errorf("%v", err)
		}
	}
}

// A member says why it has no conductor where that lacks the key, and finds others without.
func TestConductorWithoutKey(t *testing.T) {
	s := newScore(t, 300<<10, 64<<10)
	key := newKey(t)
	s.file.SetPrivate(key.ID())
	for name, keys := range map[string][]*secure.Key{"none": nil, "another": {newKey(t)}} {
		at, _ := startConductor(t, conduct.Config{Keys: keys})
		sharer := s.join(member.Config{Key: key, Dir: s.dir, Conductors: []string{at}})
		s.wantComplete(sharer)
		until(t, name+": it says why", func() bool {
			return strings.Contains(sharer.Progress().Conductor, "does not have the key of this private swarm")
		})
		getter := s.join(member.Config{Key: key, Dir: t.TempDir(), Conductors: []string{at}, Peers: []string{sharer.Addr().String()}})
		s.wantComplete(getter)
		for _, p := range []*player{getter, sharer} {
			if err := p.end(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A member that is dialled with a key that it does not have, or in the open, is no trouble to who
// dials, who says why nothing comes.
func TestPeerWithAnotherKey(t *testing.T) {
	s := newScore(t, 300<<10, 64<<10)
	one, two := newKey(t), newKey(t)
	other := *s.file
	other.SetPrivate(two.ID())
	s.file.SetPrivate(one.ID())
	sharer := s.join(member.Config{Key: one, Dir: s.dir})
	s.wantComplete(sharer)
	s.file = &other
	alone := s.join(member.Config{Key: two, Dir: t.TempDir(), Peers: []string{sharer.Addr().String()}})
	until(t, "it says why", func() bool {
		return strings.Contains(alone.Progress().Waiting, "does not have the key of this private swarm")
	})
}

// say says something to who listens at an address, and returns all that is answered.
func say(t testing.TB, at string, what []byte) []byte {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(what); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return nil // it is closed already
	}
	said, _ := io.ReadAll(conn)
	return said
}

func dialWith(t testing.TB, at string, key *secure.Key) error {
	t.Helper()
	as, err := key.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	_, err = as.Client(t.Context(), conn)
	return err
}

func secureTo(t testing.TB, at string, as *secure.Identity) *secure.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	c, err := as.Client(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// httpGet returns what is answered, its head included, as far as it comes within a while of that.
func httpGet(t testing.TB, address string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var text bytes.Buffer
	_ = res.Header.Write(&text)
	defer time.AfterFunc(2*time.Second, cancel).Stop()
	_, _ = io.Copy(&text, res.Body) // a stream ends with the context
	return text.String()
}
