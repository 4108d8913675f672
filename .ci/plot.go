//go:build ignore

// Plot draws how many hosts are complete over time: go run .ci/plot.go <docs/swarm.tsv
// >docs/swarm.svg
//
// Each line of its input is a program and when one of its hosts was complete, with a tab between,
// in units of one HTTP copy. Lines that begin with # are skipped.
package main

import (
	"bufio"
	"fmt"
	"html"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The picture, in pixels.
const (
	width, height            = 720, 320
	left, right, top, bottom = 50, 120, 20, 45
)

var colours = []string{"#0a7d4b", "#c2410c", "#1d4ed8", "#7c3aed"}

type curve struct {
	name  string
	times []float64 // sorted
}

func main() {
	log.SetFlags(0)
	curves, err := read(bufio.NewScanner(os.Stdin))
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(os.Stdout)
	draw(out, curves)
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func read(in *bufio.Scanner) (list []*curve, err error) {
	for n := 1; in.Scan(); n++ {
		name, number, ok := strings.Cut(in.Text(), "\t")
		if strings.HasPrefix(name, "#") {
			continue
		}
		t, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil || t <= 0 {
			return nil, fmt.Errorf("line %d: expected a program, a tab and a number above 0", n)
		}
		i := slices.IndexFunc(list, func(c *curve) bool { return c.name == name })
		if i < 0 {
			i = len(list)
			list = append(list, &curve{name: name})
		}
		list[i].times = append(list[i].times, t)
	}
	for _, c := range list {
		slices.Sort(c.times)
	}
	if len(list) == 0 && in.Err() == nil {
		return nil, fmt.Errorf("no data")
	}
	return list, in.Err()
}

func draw(out *bufio.Writer, curves []*curve) {
	end, hosts := 1.2, 1
	for _, c := range curves {
		end = max(end, c.times[len(c.times)-1]*1.03)
		hosts = max(hosts, len(c.times))
	}
	x := func(t float64) float64 { return left + t/end*(width-left-right) }
	y := func(n int) float64 { return top + (1-float64(n)/float64(hosts))*(height-top-bottom) }
	line := func(x1, y1, x2, y2 float64, style string) {
		fmt.Fprintf(out, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`+"\n", x1, y1, x2, y2, style)
	}
	text := func(x, y float64, anchor, s string) {
		fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(s))
	}
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="#333">`+"\n", width, height)
	fmt.Fprintf(out, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for t := 0.0; t <= end; t += 0.25 {
		line(x(t), y(0), x(t), y(hosts), `stroke="#e5e5e5"`)
		text(x(t), y(0)+16, "middle", strconv.FormatFloat(t, 'f', 2, 64))
	}
	for n := 0; n <= hosts; n += max(1, hosts/4) {
		line(x(0), y(n), x(end), y(n), `stroke="#e5e5e5"`)
		text(x(0)-6, y(n)+4, "end", strconv.Itoa(n))
	}
	text(x(end/2), height-8, "middle", "time, in units of one HTTP copy over one link")
	text(x(0), 13, "start", "hosts that are complete")
	line(x(1), y(0), x(1), y(hosts), `stroke="#333" stroke-dasharray="4 3"`)
	text(x(1)-4, y(hosts)+12, "end", "bound")
	for i, c := range curves {
		colour := colours[i%len(colours)]
		fmt.Fprintf(out, `<path fill="none" stroke="%s" stroke-width="2" d="M%.1f %.1f`, colour, x(0), y(0))
		for n, t := range c.times {
			fmt.Fprintf(out, "H%.1fV%.1f", x(t), y(n+1))
		}
		fmt.Fprintf(out, `H%.1f"/>`+"\n", x(end))
		fmt.Fprintf(out, `<text x="%d" y="%d" fill="%s">%s %.2f</text>`+"\n", width-right+8, top+20+18*i, colour, html.EscapeString(c.name), c.times[len(c.times)-1])
	}
	fmt.Fprintln(out, "</svg>")
}
