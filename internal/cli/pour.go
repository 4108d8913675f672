package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"orchestra/member"
	"orchestra/orch"
)

// checkPour says why the content cannot be written to stdout, if it cannot.
func checkPour(p *program) error {
	switch {
	case p.common.json:
		return errors.New("--json and --stdout both want stdout; leave one out")
	case term.IsTerminal(int(p.stdout.Fd())):
		return errors.New("--stdout would fill the terminal with the content; pipe it into a program, or redirect it")
	}
	return nil
}

// pour writes the content to stdout while it comes and closes that, so that whoever reads it sees
// its end although the join goes on. Its result is sent when it ends; a reader that takes nothing
// keeps it, and nothing else, waiting.
func pour(
	ctx context.Context, m *member.Member, f *orch.File, stdout *os.File, command string,
) <-chan error {
	// A signal that somebody waits for does not end the program, and is not ignored by the commands
	// that it runs.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ended := make(chan error, 1)
	go func() {
		_, err := m.WriteContent(ctx, stdout)
		if err == nil {
			err = withCode(exitDisk, stdout.Close())
		}
		ended <- pourError(err, f, command)
	}()
	return ended
}

// pourError gives what ended the writing its words and its exit code.
func pourError(err error, f *orch.File, command string) error {
	var write *member.WriteError
	var bad *member.BadPartError
	switch {
	case errors.As(err, &write) && isClosedPipe(write.Err):
		return withCode(exitPipe, fmt.Errorf("stdout was closed after %s of %s; what came is kept, %s again to go on",
			bytesText(write.At), bytesText(f.Size), command))
	case errors.As(err, &write):
		return withCode(exitDisk, fmt.Errorf("cannot write to stdout: %w", write.Err))
	case errors.As(err, &bad):
		return withCode(exitVerify, err)
	}
	return err
}
