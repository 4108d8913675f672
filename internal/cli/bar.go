package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/cheggaaa/pb/v3"
)

// A bar renders a view in one line of a terminal. pb only renders: it is never started and has
// nowhere to write. Figures have places that are as wide as they may get, so that they do not make
// the line jump.
type bar struct {
	pb   *pb.ProgressBar
	name string // of the content
}

// leastBar is the width, in columns, below which a bar says nothing. Where there is no room for it
// and the rate, the rate says more.
const leastBar = 10

func newBar(name string) *bar {
	b := pb.New64(0).Set(pb.Static, true).SetWriter(io.Discard)
	b.SetTemplateString(`{{string . "left"}}{{bar . "[" "=" ">" " " "]"}}{{string . "right"}}`)
	return &bar{b, harmless(name)}
}

// render is the view in width columns at most. What does not fit is left out, the least important
// first.
func (b *bar) render(width int, v *view) string {
	if width <= 0 {
		return ""
	}
	percent := fmt.Sprintf("%d%%", v.percent())
	if waits := v.waits(); waits != "" && v.Waiting != "" {
		return b.waiting(width, percent+" "+waits+because(v.Waiting))
	}
	name := elided(b.name, min(20, width/4))
	fields, named := b.fields(v)
	for n := len(fields); n > 0; n-- {
		left, right := "", fmt.Sprintf(" %4s", percent)
		if n > named {
			left = name + " "
		}
		for _, field := range fields[:n] {
			if field != "" {
				right += " " + field
			}
		}
		if pb.CellCount(left)+leastBar+pb.CellCount(right) <= width {
			b.pb.SetTotal(max(v.Bytes, 1)).SetCurrent(v.BytesDone).SetWidth(width)
			if v.Bytes == 0 {
				b.pb.SetCurrent(1)
			}
			b.pb.Set("left", left).Set("right", right)
			return b.pb.String()
		}
	}
	pace := v.pace()
	if v.settled() {
		pace = rateText(v.up)
	}
	if text := fmt.Sprintf("%4s %10s", percent, pace); len(text) <= width {
		return text
	}
	return fitted(percent, width)
}

// fields are what stands right of the bar and of the percentage, the most important first. The name
// of the content is more important than those from named on.
func (b *bar) fields(v *view) (fields []string, named int) {
	up := fmt.Sprintf("%10s", rateText(v.up))
	sent := fmt.Sprintf("%8s sent", figureText(float64(v.Uploaded)))
	if v.settled() {
		return []string{
			v.pace() + " " + up, v.others(true), v.conductor(), sent, b.web(v), v.connected(),
			bytesText(v.Bytes),
		}, 1
	}
	eta := v.eta()
	if eta == "" {
		eta = "ETA -"
	}
	digits := len(fmt.Sprint(v.Parts))
	return []string{
		fmt.Sprintf("%10s", v.pace()), fmt.Sprintf("%-11s", eta), "up " + up,
		v.others(true), v.conductor(), b.web(v), v.connected(), sent,
		fmt.Sprintf("%*d/%d parts", digits, v.PartsDone, v.Parts),
		fmt.Sprintf("%8s/%s", figureText(float64(v.BytesDone)), bytesText(v.Bytes)),
	}, 2
}

// web is how much came from web servers, or why one of them is not asked; empty if there are none.
func (b *bar) web(v *view) string {
	trouble := v.webTrouble(time.Now())
	switch {
	case trouble != "":
		return elided(harmless(trouble), mostWeb)
	case fromOrigins(v.Origins) == 0:
		return ""
	}
	return fmt.Sprintf("%8s from web", figureText(float64(fromOrigins(v.Origins))))
}

// mostWeb is how many columns the words about web servers may take.
const mostWeb = 60

// waiting is the bar of a member to which nothing comes: why it does not takes the bar's place.
func (b *bar) waiting(width int, text string) string {
	if name := elided(b.name, min(20, width/4)); width > 3*pb.CellCount(name) && width >= 40 {
		text = name + " " + text
	}
	return elided(text, width)
}

// fits reports whether the bar shows in width columns why the member waits.
func (b *bar) fits(width int, v *view) bool {
	const most = 1 << 10
	return pb.CellCount(b.render(most, v)) <= width
}

// elided is what fits into so many columns, with a mark where something is left out.
func elided(s string, width int) string {
	const mark = "..."
	if pb.CellCount(s) <= width || width < 2*len(mark) {
		return fitted(s, width)
	}
	return fitted(s, width-len(mark)) + mark
}
