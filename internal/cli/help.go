package cli

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// help prints what show writes: as it is, or on a terminal within its columns.
func (p *program) help(text *bytes.Buffer, show func() error) error {
	if err := show(); err != nil {
		return err
	}
	shown := text.String()
	if width, _, err := term.GetSize(int(p.stdout.Fd())); err == nil {
		shown = wrapHelp(shown, max(width, leastHelp))
	}
	_, err := io.WriteString(p.stdout, shown)
	return err
}

// leastHelp is the width below which wrapping makes a help no better.
const leastHelp = 40

// wrapHelp breaks the lines of a help that are longer than width: those of the flags and commands
// under the beginning of what is said of them, and running text as a whole.
func wrapHelp(text string, width int) string {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n\n") {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		lines := strings.Split(paragraph, "\n")
		if !strings.Contains(paragraph, "\n  ") && isLonger(lines, width) {
			lines = []string{strings.Join(lines, " ")}
		}
		for _, line := range lines {
			wrapLine(&b, line, width)
		}
	}
	return b.String()
}

func isLonger(lines []string, width int) bool {
	for _, line := range lines {
		if utf8.RuneCountInString(line) > width {
			return true
		}
	}
	return false
}

// wrapLine writes a line in as many as it takes. Those that follow stand under the second column,
// which two blanks set apart, or a little to the right if that leaves too little room.
func wrapLine(b *strings.Builder, line string, width int) {
	indent := 0
	if body := strings.TrimLeft(line, " "); len(body) < len(line) {
		first, second, ok := strings.Cut(body, "  ")
		indent = len(line) - len(strings.TrimLeft(second, " "))
		if !ok {
			indent = len(line) - len(body)
		}
		if ok && indent > width/2 {
			indent = 10
			fmt.Fprintf(b, "%s%s\n", line[:len(line)-len(body)], first)
			line = strings.Repeat(" ", indent) + strings.TrimLeft(second, " ")
		}
	}
	for len(line) > width {
		at := strings.LastIndexByte(line[:width+1], ' ')
		if at <= indent {
			break // a word of its own is longer
		}
		b.WriteString(strings.TrimRight(line[:at], " ") + "\n")
		line = strings.Repeat(" ", indent) + strings.TrimLeft(line[at:], " ")
	}
	b.WriteString(line + "\n")
}
