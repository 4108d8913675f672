package orch_test

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"orchestra/orch"
)

// The format is text: line 1 says where members meet, the next five what the content is, the rest
// what its parts are.
const hello = `conductor.example:9999
hello.txt
aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d
5
16384
1
aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d
comment: a greeting
`

func ExampleParse() {
	f, err := orch.Parse(strings.NewReader(hello))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %d bytes in %d part\n", f.Name, f.Size, f.NumParts())
	fmt.Println(f.ID())

	f.Conductor = "192.168.1.1:9999" // the ID stays the same
	if _, err := f.WriteTo(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// hello.txt: 5 bytes in 1 part
	// 0eb2d544ef0c9ae3c0fbba90a71cd742a44aa81d
	// 192.168.1.1:9999
	// hello.txt
	// aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d
	// 5
	// 16384
	// 1
	// aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d
	// comment: a greeting
}

func ExampleParseError() {
	_, err := orch.Parse(strings.NewReader(strings.Replace(hello, "\n5\n", "\nfive\n", 1)))
	if wrong, ok := errors.AsType[*orch.ParseError](err); ok {
		fmt.Println("line", wrong.Line)
	}
	// Output: line 4
}
