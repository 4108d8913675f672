package member_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orchestra/compose"
	"orchestra/conduct"
	"orchestra/member"
	"orchestra/orch"
	"orchestra/proto"
)

// composeMany makes as many files in a folder, each with a content of its own, and describes them.
func composeMany(t testing.TB, dir, conductor string, n int, size int64) []*orch.File {
	t.Helper()
	var all []*orch.File
	for i := range n {
		path := filepath.Join(dir, fmt.Sprintf("content%04d", i))
		content := []byte(strings.Repeat(fmt.Sprintf("%08d", i), int(size)/8))
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := compose.Compose(t.Context(), compose.Config{
			Path: path, PartSize: 16 << 10, Conductors: []string{conductor},
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

func until(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); {
		if time.Now().After(deadline) {
			t.Fatal("it takes too long until ", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func joinAll(t testing.TB, h *member.Host, dir string, files []*orch.File) []*member.Member {
	t.Helper()
	var all []*member.Member
	for _, f := range files {
		m, err := h.Join(t.Context(), member.Config{File: f, Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func allComplete(members []*member.Member) func() bool {
	return func() bool {
		for _, m := range members {
			if !m.Progress().Complete {
				return false
			}
		}
		return true
	}
}

// Two hosts share several compositions over one port each and one connection each to the conductor.
// One composition is let go and joined again, and the others do not notice.
func TestHostsShareMany(t *testing.T) {
	c, _ := startConduct(t, conduct.Config{})
	front, connections := countConnections(t, c.Addr().String())
	from, to := t.TempDir(), t.TempDir()
	files := composeMany(t, from, front, 5, 100<<10)
	a, _ := startHost(t, member.HostConfig{})
	b, _ := startHost(t, member.HostConfig{})
	sharers := joinAll(t, a, from, files)
	until(t, "the sharers have checked", allComplete(sharers))
	ctx, letGo := context.WithCancel(t.Context())
	first, err := b.Join(ctx, member.Config{File: files[0], Dir: to})
	if err != nil {
		t.Fatal(err)
	}
	getters := append(joinAll(t, b, to, files[1:]), first)
	until(t, "all is there", allComplete(getters))
	if n := connections(); n != 2 {
		t.Errorf("%d connections to the conductor, want 2", n)
	}
	if _, err := b.Join(t.Context(), member.Config{File: files[1], Dir: t.TempDir()}); err == nil {
		t.Error("a composition was joined twice")
	}
	letGo()
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
	again, err := b.Join(t.Context(), member.Config{File: files[0], Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "it is there again", allComplete([]*member.Member{again}))
	for _, m := range getters[:4] {
		if p := m.Progress(); !p.Complete || !p.ConductorUp {
			t.Errorf("another one is %+v", p)
		}
	}
}

// Who names a composition that is not here is told nothing, like who speaks no handshake.
func TestHostAnswersNobodyElse(t *testing.T) {
	dir := t.TempDir()
	files := composeMany(t, dir, "127.0.0.1:1", 1, 32<<10)
	h, _ := startHost(t, member.HostConfig{})
	m, err := h.Join(t.Context(), member.Config{File: files[0], Dir: dir, Conductors: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "it is checked", allComplete([]*member.Member{m}))
	for id, want := range map[orch.ID]bool{files[0].ID(): true, {1, 2, 3}: false} {
		conn, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(patience))
		hs := proto.Handshake{Protocol: proto.BitTorrent, ID: id, PeerID: proto.PeerID{9}}
		if _, err := conn.Write(hs.Append(nil)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(make([]byte, 1))
		if got := n > 0; got != want {
			t.Errorf("answered: %v, want %v (%v)", got, want, err)
		}
		conn.Close()
	}
}

// A conductor that knows no channels gets a connection for each composition.
func TestHostAtOlderConductor(t *testing.T) {
	c, _ := startConduct(t, conduct.Config{})
	front, connections := lead(t, func() string { return c.Addr().String() }, true)
	dir := t.TempDir()
	h, _ := startHost(t, member.HostConfig{})
	members := joinAll(t, h, dir, composeMany(t, dir, front, 3, 32<<10))
	until(t, "the conductor knows all", listed(members))
	if n := connections(); n != 4 { // and the one that found out
		t.Errorf("%d connections to the conductor", n)
	}
}

func listed(members []*member.Member) func() bool {
	return func() bool {
		for _, m := range members {
			if !m.Progress().ConductorUp {
				return false
			}
		}
		return true
	}
}

// A conductor that is started anew gets one connection again, and one that cannot be reached is not
// dialled for each composition.
func TestHostComesBackToConductor(t *testing.T) {
	var conductor atomic.Value
	c, end := startConduct(t, conduct.Config{})
	conductor.Store(c.Addr().String())
	front, connections := lead(t, func() string { return conductor.Load().(string) }, false)
	dir := t.TempDir()
	h, _ := startHost(t, member.HostConfig{})
	members := joinAll(t, h, dir, composeMany(t, dir, front, 40, 16<<10))
	until(t, "the conductor knows all", listed(members))
	end()
	until(t, "it is missed by all", func() bool {
		for _, m := range members {
			if m.Progress().ConductorUp {
				return false
			}
		}
		return true
	})
	again, _ := startConduct(t, conduct.Config{})
	conductor.Store(again.Addr().String())
	until(t, "the conductor knows all again", listed(members))
	if n := connections(); n > 12 {
		t.Errorf("%d connections to one that was away for a moment", n)
	}
}

// What a conductor refuses to one composition costs that one.
func TestHostIsRefusedOne(t *testing.T) {
	dir := t.TempDir()
	files := composeMany(t, dir, "127.0.0.1:1", 2, 16<<10)
	c, err := conduct.New(conduct.Config{
		Listen: "127.0.0.1:0", Allow: func(id orch.ID) bool { return id == files[0].ID() },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	h, _ := startHost(t, member.HostConfig{})
	var members []*member.Member
	for _, f := range files {
		m, err := h.Join(t.Context(), member.Config{
			File: f, Dir: dir, Conductors: []string{c.Addr().String()},
		})
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, m)
	}
	until(t, "one is refused", func() bool {
		return strings.Contains(members[1].Progress().Conductor, "refused") &&
			members[0].Progress().ConductorUp
	})
}

// Where links are short, each composition comes to one nevertheless.
func TestHostShortOfLinks(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	files := composeMany(t, from, "127.0.0.1:1", 6, 200<<10)
	a, _ := startHost(t, member.HostConfig{MaxLinks: 2})
	for _, f := range files {
		_, err := a.Join(t.Context(), member.Config{File: f, Dir: from, Conductors: []string{}})
		if err != nil {
			t.Fatal(err)
		}
	}
	b, _ := startHost(t, member.HostConfig{})
	var getters []*member.Member
	for _, f := range files {
		m, err := b.Join(t.Context(), member.Config{
			File: f, Dir: to, Conductors: []string{}, Peers: []string{a.Addr().String()},
		})
		if err != nil {
			t.Fatal(err)
		}
		getters = append(getters, m)
	}
	until(t, "all is there", allComplete(getters))
}
