//go:build ignore

// Makedocs makes the man pages and the completions anew, in the folder that is its argument: make
// docs.
package main

import (
	"fmt"
	"os"

	"orchestra/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run internal/cli/makedocs.go docs")
		os.Exit(2)
	}
	if err := cli.WriteDocuments(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "makedocs:", err)
		os.Exit(1)
	}
}
