// Orchestra spreads one large file from one host to many.
package main

import (
	"os"

	"orchestra/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
