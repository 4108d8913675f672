package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"orchestra/orch"
)

// runHook lets the shell run the user's command for the complete content at path. What it prints goes to out. When ctx
// ends, the command is told to end, and killed soon after, or when the program stops at once.
func runHook(ctx context.Context, stop *stopper, command, path string, f *orch.File, out io.Writer) error {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	cmd := shellCommand(ctx, command)
	cmd.Env = append(os.Environ(), "ORCHESTRA_PATH="+path, "ORCHESTRA_NAME="+f.Name, "ORCHESTRA_ID="+f.ID().String())
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	defer stop.atOnce(func() { killAll(cmd) })()
	err := cmd.Wait()
	if ctx.Err() != nil {
		killAll(cmd) // what it started and did not end with it
	}
	return err
}
