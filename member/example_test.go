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
	"orchestra/orch"
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

	path, err := get(ctx, f, filepath.Join(dir, "copy"))
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

// get joins, waits until the content is complete, and ends. OnComplete is where to go on; to share
// on, it would not stop.
func get(ctx context.Context, f *orch.File, dir string) (path string, err error) {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	m, err := member.New(member.Config{
		File: f, Dir: dir, Listen: "127.0.0.1:0",
		OnComplete: func(complete string) { path = complete; stop() },
	})
	if err != nil {
		return "", err
	}
	if err := m.Run(ctx); err != nil { // it waits for OnComplete
		return "", err
	}
	if path == "" {
		return "", fmt.Errorf("%s is not complete: %w", f.Name, ctx.Err())
	}
	return path, nil
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
		File: f, Dir: dir, Listen: "127.0.0.1:0", Conductors: []string{}, // none: others would be named in Peers
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
