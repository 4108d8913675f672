//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package cli

import (
	"context"
	"os"
)

// A keyboard has no key on this system: Ctrl-C ends the program.
type keyboard struct{}

func (*keyboard) restore() {}

func isForeground(*os.File) bool { return true }

func (t *terminal) watch(ctx context.Context, _ bool, _ func()) {
	<-ctx.Done()
	t.restore()
}
