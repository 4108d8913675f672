package conduct_test

import (
	"context"
	"errors"
	"fmt"

	"orchestra/conduct"
)

// A conductor within another program: it listens when New returns, serves while Run runs, and ends
// with the context.
func Example() {
	c, err := conduct.New(conduct.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()

	fmt.Println("members meet at", c.Addr().Addr()) // its port is c.Addr().Port()

	stop()
	fmt.Println("ended:", <-ended)
	// Output:
	// members meet at 127.0.0.1
	// ended: <nil>
}

// One address is for one conductor: the second is told so.
func ExampleListenError() {
	first, err := conduct.New(conduct.Config{Listen: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = conduct.New(conduct.Config{Listen: first.Addr().String()})
	listen, ok := errors.AsType[*conduct.ListenError](err)
	fmt.Println(ok && listen.Addr == first.Addr().String())

	ended, end := context.WithCancel(context.Background())
	end()
	fmt.Println(first.Run(ended)) // closes what New opened
	// Output:
	// true
	// <nil>
}
