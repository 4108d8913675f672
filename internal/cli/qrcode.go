package cli

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quietZone is the white border that readers of QR codes need, in modules.
const quietZone = 2

// showCode shows the page's address as a QR code.
func (s *sharing) showCode() error {
	t := s.program.terminal
	lines, err := qrLines(s.page(), s.program.wantsColor())
	switch {
	case err != nil:
		return withCode(exitOther, fmt.Errorf("no QR code can be made of %s: %w", s.page(), err))
	case t.isTerminal && t.width() < lines.width:
		t.note("the QR code needs %d columns; make the window wider", lines.width)
		return nil
	}
	_, err = t.Write([]byte(lines.text))
	return err
}

// A qrText is a QR code in lines of text.
type qrText struct {
	text  string
	width int // columns
}

// qrLines draws a QR code, two modules a character. With colours it is black on white; without,
// what is light is drawn, which is right on a dark terminal and read by most readers on a light
// one.
func qrLines(text string, color bool) (qrText, error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return qrText{}, err
	}
	dark := func(x, y int) bool {
		x, y = x-quietZone, y-quietZone
		return x >= 0 && y >= 0 && x < code.Size && y < code.Size && code.Black(x, y)
	}
	size := code.Size + 2*quietZone
	var b strings.Builder
	for y := 0; y < size; y += 2 {
		if color {
			b.WriteString("\x1b[97;40m")
		}
		for x := range size {
			b.WriteString(halfBlocks[boolBit(!dark(x, y))|boolBit(y+1 < size && !dark(x, y+1))<<1])
		}
		if color {
			b.WriteString("\x1b[0m")
		}
		b.WriteString("\n")
	}
	return qrText{b.String(), size}, nil
}

// halfBlocks are, by what is light: nothing, above, below, both.
var halfBlocks = [4]string{" ", "▀", "▄", "█"}

func boolBit(b bool) int {
	if b {
		return 1
	}
	return 0
}
