package member_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/dustin/go-humanize"

	"orchestra/compose"
	"orchestra/member"
	"orchestra/proto/secure"
)

// BenchmarkPair moves a file from one member to another in one process over 127.0.0.1, through the
// RAM disk where there is one; in a private swarm too.
func BenchmarkPair(b *testing.B) {
	const size = 256 << 20
	key := newKey(b)
	for _, test := range []struct {
		partSize int64
		key      *secure.Key
	}{{16 << 10, nil}, {256 << 10, nil}, {1 << 20, nil}, {1 << 20, key}, {16 << 20, nil}} {
		name := humanize.IBytes(uint64(test.partSize))
		if test.key != nil {
			name += " private"
		}
		b.Run(name, func(b *testing.B) {
			dir := ramDir(b)
			path := filepath.Join(dir, "content.bin")
			content := make([]byte, size) // not zeros, which are not fetched
			rand.NewChaCha8([32]byte{}).Read(content)
			if err := os.WriteFile(path, content, 0o666); err != nil {
				b.Fatal(err)
			}
			file, err := compose.Compose(b.Context(), compose.Config{Path: path, PartSize: test.partSize})
			if err != nil {
				b.Fatal(err)
			}
			if test.key != nil {
				file.SetPrivate(test.key.ID())
			}
			start := func(dir string, peers ...string) (*member.Member, chan string, func()) {
				done := make(chan string, 1)
				m, err := member.New(member.Config{
					File: file, Dir: dir, Listen: "127.0.0.1:0", Conductors: []string{}, Peers: peers,
					Key:        test.key,
					OnComplete: func(path string) { done <- path },
				})
				if err != nil {
					b.Fatal(err)
				}
				ctx, cancel := context.WithCancel(b.Context())
				ended := make(chan error, 1)
				go func() { ended <- m.Run(ctx) }()
				return m, done, func() {
					cancel()
					if err := <-ended; err != nil {
						b.Error(err)
					}
				}
			}
			first, done, end := start(dir)
			defer end()
			<-done
			b.SetBytes(size)
			for b.Loop() {
				to, err := os.MkdirTemp(dir, "to")
				if err != nil {
					b.Fatal(err)
				}
				_, done, end := start(to, first.Addr().String())
				<-done
				end()
				b.StopTimer()
				os.RemoveAll(to)
				b.StartTimer()
			}
		})
	}
}

func ramDir(b *testing.B) string {
	dir, err := os.MkdirTemp("/dev/shm", "orchestra")
	if err != nil {
		return b.TempDir()
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
