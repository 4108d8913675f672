//go:build !unix && !windows

package cli

import (
	"context"
	"os/exec"
)

func shellCommand(ctx context.Context, command string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", "-c", command)
}

func killAll(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
