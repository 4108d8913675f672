package cli

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// shellCommand hands cmd.exe the command as it is: its quoting is not that of other programs.
func shellCommand(ctx context.Context, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /s /c "` + command + `"`}
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

func killAll(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
