package conduct

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"orchestra/orch"
	"orchestra/proto"
	"orchestra/proto/secure"
)

func aKey(t *testing.T) *secure.Key {
	t.Helper()
	k, err := secure.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// asHolder connects as a holder of a key.
func asHolder(t *testing.T, c *Conductor, key *secure.Key) (*secure.Conn, proto.PeerID) {
	t.Helper()
	as, err := key.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	nc := dial(t, c.Addr().String())
	nc.SetDeadline(time.Now().Add(patience))
	sc, err := as.Client(t.Context(), nc)
	if err != nil {
		t.Fatal(err)
	}
	return sc, as.PeerID()
}

// On a connection for many compositions, too, everybody has the peer id that was proven.
func TestTrunkOfPrivateSwarm(t *testing.T) {
	key := aKey(t)
	c := serving(t, Config{Keys: []*secure.Key{key, key}, Allow: func(orch.ID) bool { return false }})
	if len(c.realms) != 2 {
		t.Errorf("one key makes %d realms", len(c.realms)-1)
	}
	for _, honest := range []bool{true, false} {
		sc, self := asHolder(t, c, key)
		hello := proto.Handshake{Protocol: proto.Orchestra, PeerID: self}
		hello.SetNames()
		hello.SetTitles()
		hello.SetChannels()
		g := &guest{t: t, nc: sc, peer: self}
		g.write(hello.Append(nil))
		answer, err := proto.ReadHandshake(sc, proto.Orchestra)
		if err != nil || answer.PeerID != sc.PeerID() || answer.PeerID == c.open.self {
			t.Fatalf("the conductor is %v, and has proven %v: %v", answer.PeerID, sc.PeerID(), err)
		}
		g.in = proto.NewConductorReader(sc)
		if !honest {
			self[19] ^= 1
		}
		g.send(proto.Open{Channel: 1, ID: testID, PeerID: self})
		if !honest {
			if _, err := g.in.Next(); err == nil {
				t.Error("it is taken for another one")
			}
			continue
		}
		g.within(1, proto.Announce{Parts: 9, Want: 50}, proto.Named{Label: "many"}, proto.Titled{Title: "title"})
		nextWithin[proto.Welcome](g, 1)
	}
}

// What is published for the holders of a key is there for them, under the path and in the index,
// and for nobody else; where nobody can have the key, that is said.
func TestPublishedForHolders(t *testing.T) {
	one, two, none := aKey(t), aKey(t), aKey(t)
	works := map[string]*secure.Key{"open": nil, "one": one, "two": two, "none": none}
	var shelf Shelf
	for name, key := range works {
		f := aWork(name)
		if key != nil {
			f.SetPrivate(key.ID())
		}
		if err := shelf.Put(name+".orch", f); err != nil {
			t.Fatal(err)
		}
	}
	c := serving(t, Config{Keys: []*secure.Key{one, two}, Publish: &shelf})
	if shut := shelf.opens(map[string]bool{one.ID(): true, two.ID(): true}); !slices.Equal(shut, []string{"none.orch"}) {
		t.Errorf("nobody gets %v", shut)
	}
	late := aWork("late")
	late.SetPrivate(none.ID())
	if err := shelf.Put("late.orch", late); !errors.Is(err, errShut) {
		t.Errorf("what nobody gets is published: %v", err)
	}
	for who, key := range works {
		if who == "none" {
			continue
		}
		get := func(path string) string {
			var nc net.Conn = dial(t, c.Addr().String())
			if key != nil {
				nc, _ = asHolder(t, c, key)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(patience))
			client := http.Client{Transport: &http.Transport{
				DialContext: func(context.Context, string, string) (net.Conn, error) { return nc, nil }, DisableKeepAlives: true,
			}}
			res, err := client.Get("http://conductor" + path)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != http.StatusOK {
				return ""
			}
			return string(body)
		}
		index := get(IndexPath)
		for name := range works {
			if got := get("/" + name + ".orch"); (got != "") != (name == who) {
				t.Errorf("%s gets of %s %.50q", who, name, got)
			}
			if listed := strings.Contains(index, "/"+name+".orch"); listed != (name == who) {
				t.Errorf("to %s it lists %s: %v", who, name, listed)
			}
		}
		if key != nil && get("/announce?info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1") != "" {
			t.Errorf("within a private swarm clients announce themselves")
		}
	}
}
