package cli

import (
	"fmt"
	"io"

	"github.com/cheggaaa/pb/v3"
)

// A bar renders a view in one line of a terminal. pb only renders: it is never started and has nowhere to write.
type bar struct{ pb *pb.ProgressBar }

// leastBar is the width, in columns, below which a bar says nothing.
const leastBar = 10

func newBar() *bar {
	b := pb.New64(0).Set(pb.Static, true).SetWriter(io.Discard)
	b.SetTemplateString(`{{string . "left"}}{{bar . "[" "=" ">" " " "]"}}{{string . "right"}}`)
	return &bar{b}
}

// render is the view in width columns at most. What does not fit is left out, the least important first.
func (b *bar) render(width int, v *view) string {
	if width <= 0 {
		return ""
	}
	percent := fmt.Sprintf("%d%%", v.percent())
	fields := []string{
		percent, v.pace(), v.eta(), v.company(),
		fmt.Sprintf("%d/%d parts", v.PartsDone, v.Parts),
		fmt.Sprintf("%s/%s", bytesText(v.BytesDone), bytesText(v.Bytes)),
	}
	for n := len(fields); n > 0; n-- {
		if fields[n-1] == "" {
			continue
		}
		right := ""
		for _, field := range fields[:n] {
			if field != "" {
				right += " " + field
			}
		}
		right = harmless(right)
		if pb.CellCount(right)+leastBar <= width {
			b.pb.SetTotal(max(v.Bytes, 1)).SetCurrent(v.BytesDone).SetWidth(width)
			if v.Bytes == 0 {
				b.pb.SetCurrent(1)
			}
			b.pb.Set("left", "").Set("right", right)
			return b.pb.String()
		}
	}
	return percent[:min(len(percent), width)]
}
