package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/cheggaaa/pb/v3"

	"orchestra/conduct"
	"orchestra/orch"
)

// statusText is a status in one line for people. Labels are the members' own: it has to be made harmless.
func statusText(s *conduct.Status) string {
	if s.Known == 0 {
		return "no members"
	}
	text := fmt.Sprintf("%d of %d complete", s.Complete, s.Known)
	if s.Pending == 0 {
		return text
	}
	if len(s.Members) > 0 {
		slowest := &s.Members[0]
		text += fmt.Sprintf(", slowest %s at %d %%", standingName(slowest), standingPercent(slowest))
	}
	if s.Left >= 0 {
		text += ", " + leftText(s.Left) + " left"
	}
	return text
}

// slowestTexts lists the members that are not complete, as far as they came with the status, and says how many more there are.
func slowestTexts(s *conduct.Status) []string {
	var lines []string
	for i := range s.Members {
		m := &s.Members[i]
		if m.Complete() {
			break
		}
		line := fmt.Sprintf("  %3d %%  %s", standingPercent(m), standingName(m))
		if m.Left >= 0 {
			line += ", " + leftText(m.Left) + " left"
		}
		lines = append(lines, line)
	}
	if more := s.Pending - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more", more))
	}
	return lines
}

// standingName is what a member calls itself, or where it is.
func standingName(m *conduct.Standing) string {
	switch {
	case m.Label != "":
		return m.Label
	case m.Addr.IsValid():
		return m.Addr.String()
	}
	return "?"
}

// standingPercent is rounded down: 100 means all.
func standingPercent(m *conduct.Standing) int {
	if m.Complete() {
		return 100
	}
	return int(int64(m.Have) * 100 / int64(m.Parts))
}

// leftText is a time left: whole seconds, unlike timeText.
func leftText(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return timeText(d)
}

// fitted is what fits into so many columns.
func fitted(s string, width int) string {
	if width <= 0 {
		return ""
	}
	if pb.CellCount(s) <= width {
		return s
	}
	return pb.StripString(s, width)
}

// untimed is a status without what changes each second.
func untimed(s *conduct.Status) conduct.Status {
	t := *s
	t.Left, t.Members = 0, slices.Clone(s.Members)
	for i := range t.Members {
		t.Members[i].Left = 0
	}
	return t
}

// A statusLine is a line of status --json (docs/scripting.md).
type statusLine struct {
	ID       string         `json:"id"`
	Complete int            `json:"complete"`
	Known    int            `json:"known"`
	Pending  int            `json:"pending"`
	Left     float64        `json:"seconds_left"` // -1: not known
	Members  []standingLine `json:"members"`
}

type standingLine struct {
	Name      string  `json:"name"`
	Address   string  `json:"address"`
	Parts     int     `json:"parts"`
	PartsDone int     `json:"parts_done"`
	Complete  bool    `json:"complete"`
	Left      float64 `json:"seconds_left"` // -1: not known
}

func statusJSON(s *conduct.Status) statusLine {
	line := statusLine{
		ID: orch.ID(s.ID).String(), Complete: s.Complete, Known: s.Known, Pending: s.Pending,
		Left: secondsLeft(s.Left), Members: make([]standingLine, len(s.Members)),
	}
	for i := range s.Members {
		m := &s.Members[i]
		address := ""
		if m.Addr.IsValid() {
			address = m.Addr.String()
		}
		line.Members[i] = standingLine{
			Name: m.Label, Address: address, Parts: m.Parts, PartsDone: m.Have, Complete: m.Complete(), Left: secondsLeft(m.Left),
		}
	}
	return line
}

func secondsLeft(d time.Duration) float64 {
	if d < 0 {
		return -1
	}
	return d.Seconds()
}
