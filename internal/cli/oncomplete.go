package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"orchestra/orch"
)

// A hook is the command of --on-complete.
type hook struct {
	command string // for the shell; empty: there is none
	timeout time.Duration
}

// run lets the shell run the command for the complete content at path. What it prints goes to out.
// When ctx or its time ends, the command is told to end, and killed soon after, or when the program
// stops at once. The name of the content is not in ORCHESTRA_NAME, which stands for --name.
func (h hook) run(
	ctx context.Context, stop *stopper, path string, f *orch.File, out io.Writer,
) error {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	late := fmt.Errorf("it did not end within %s", timeText(h.timeout))
	if h.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, h.timeout, late)
		defer cancel()
	}
	cmd := shellCommand(ctx, h.command)
	cmd.Env = append(os.Environ(),
		envPath+"="+path, envContentName+"="+f.Name, envID+"="+f.ID().String())
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return h.failed(err)
	}
	defer stop.atOnce(func() { killAll(cmd) })()
	err := cmd.Wait()
	if ctx.Err() != nil {
		killAll(cmd) // what it started and did not end with it
	}
	if err != nil && errors.Is(context.Cause(ctx), late) {
		err = late
	}
	return h.failed(err)
}

// failed names what failed; nil stays nil.
func (h hook) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the --on-complete command failed: %w", err)
}
