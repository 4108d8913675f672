package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"orchestra/orch"
)

// runHook lets the shell run the user's command for the complete content at path. What it prints goes to out. When ctx
// ends, the command is told to end, and killed soon after.
func runHook(ctx context.Context, command, path string, f *orch.File, out io.Writer) error {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	cmd := shellCommand(ctx, command)
	cmd.Env = append(os.Environ(), "ORCHESTRA_PATH="+path, "ORCHESTRA_NAME="+f.Name, "ORCHESTRA_ID="+f.ID().String())
	cmd.Stdout, cmd.Stderr = out, out
	return cmd.Run()
}
