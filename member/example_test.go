package member_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"orchestra/compose"
	"orchestra/conduct"
	"orchestra/member"
)

// Everything in one program: a conductor, a member that has a file, and one that gets it and ends
// when it is complete.
func Example() {
	dir, err := os.MkdirTemp("", "orchestra")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	content := bytes.Repeat([]byte("many hosts, one file\n"), 10_000)
	original := filepath.Join(dir, "file.txt")
	if err := os.WriteFile(original, content, 0o644); err != nil {
		fmt.Println(err)
		return
	}

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	conductor, err := conduct.New(conduct.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	conducted := make(chan error, 1)
	go func() { conducted <- conductor.Run(ctx) }()

	f, err := compose.Compose(ctx, compose.Config{Path: original, Conductors: []string{conductor.Addr().String()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	sharer, err := member.New(member.Config{File: f, Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	shared := make(chan error, 1)
	go func() { shared <- sharer.Run(ctx) }()

	path, err := member.Get(ctx, member.Config{File: f, Dir: filepath.Join(dir, "copy"), Listen: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := os.ReadFile(path)
	fmt.Println(filepath.Base(path), bytes.Equal(got, content), err)

	stop()
	fmt.Println(<-shared, <-conducted)
	// Output:
	// file.txt true <nil>
	// <nil> <nil>
}

// How far a member is may be asked at any time, from any goroutine.
func ExampleMember_Progress() {
	dir, err := os.MkdirTemp("", "orchestra")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "image.iso")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	f, err := compose.Compose(ctx, compose.Config{Path: path})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := member.New(member.Config{
		// none: others would be named in Peers
		File: f, Dir: dir, Listen: "127.0.0.1:0", Conductors: []string{},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()

	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	p := m.Progress()
	for !p.Complete { // a bar would show p.BytesDone of p.Bytes, from p.Members members
		select {
		case <-look.C:
			p = m.Progress()
		case err := <-ended:
			fmt.Println("ended too soon:", err)
			return
		}
	}
	fmt.Printf("%d of %d parts, complete: %v\n", p.PartsDone, p.Parts, p.Complete)
	stop()
	fmt.Println(<-ended)
	// Output:
	// 64 of 64 parts, complete: true
	// <nil>
}

// The content can be read while it comes, from anywhere.
func ExampleMember_Content() {
	dir, err := os.MkdirTemp("", "orchestra")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "film.mkv")
	if err := os.WriteFile(path, []byte("a header, much else, and an index"), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	f, err := compose.Compose(ctx, compose.Config{Path: path})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := member.New(member.Config{File: f, Dir: dir, Listen: "127.0.0.1:0", Conductors: []string{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	content := m.Content(ctx)
	index := make([]byte, len("an index"))
	_, err = content.ReadAt(index, content.Size()-int64(len(index))) // waits for that part
	fmt.Println(string(index), err)
	stop()
	fmt.Println(<-ended)
	// Output:
	// an index <nil>
	// <nil>
}

// What happens to a member comes over a channel.
func ExampleMember_Events() {
	dir, err := os.MkdirTemp("", "orchestra")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "image.iso")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	f, err := compose.Compose(ctx, compose.Config{Path: path})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := member.New(member.Config{File: f, Dir: dir, Listen: "127.0.0.1:0", Conductors: []string{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	go m.Run(ctx)
	for e := range m.Events(context.Background()) {
		switch e.Kind {
		case member.Progressed: // a bar would show e.Progress
		case member.Completed:
			fmt.Println(filepath.Base(e.Progress.Path), "is complete")
			stop()
		case member.Ended:
			fmt.Println("ended")
		}
	}
	// Output:
	// image.iso is complete
	// ended
}

// What is wrong can be told apart by type.
func ExampleListenError() {
	f, err := compose.Compose(context.Background(), compose.Config{Path: "example_test.go"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = member.New(member.Config{File: f, Listen: "192.0.2.1:1"})
	if listen, ok := errors.AsType[*member.ListenError](err); ok {
		fmt.Println("not an address of this host:", listen.Addr)
	}
	// Output: not an address of this host: 192.0.2.1:1
}
