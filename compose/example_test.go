package compose_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"orchestra/compose"
	"orchestra/orch"
)

func Example() {
	dir, err := os.MkdirTemp("", "orchestra")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "image.iso")
	if err := os.WriteFile(path, make([]byte, 100_000), 0o644); err != nil {
		fmt.Println(err)
		return
	}

	f, err := compose.Compose(context.Background(), compose.Config{
		Path:       path,
		Conductors: []string{"192.168.1.1:9999"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := orch.WriteFile(path+".orch", f); err != nil { // what the others get
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %d parts of %d bytes\n", f.Name, f.NumParts(), f.PartSize)
	// Output: image.iso: 7 parts of 16384 bytes
}

func ExampleCompose_error() {
	_, err := compose.Compose(context.Background(), compose.Config{Path: "missing.iso"})
	fmt.Println(errors.Is(err, os.ErrNotExist))
	// Output: true
}
