package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cheggaaa/pb/v3"

	"orchestra/conduct"
	"orchestra/orch"
)

// statusText is a status in one line for people. Labels are the members' own: it has to be made
// harmless.
func statusText(s *conduct.Status) string {
	text := membersText(s)
	if s.Clients > 0 {
		text += fmt.Sprintf("; %d of %d BitTorrent clients", s.ClientsComplete, s.Clients)
	}
	return text
}

func membersText(s *conduct.Status) string {
	if s.Known == 0 {
		return "no members"
	}
	text := fmt.Sprintf("%d of %d complete", s.Complete, s.Known)
	if s.Pending == 0 {
		return text
	}
	if len(s.Members) > 0 && !s.Members[0].Client {
		slowest := &s.Members[0]
		text += fmt.Sprintf(", slowest %s at %d %%", standingName(slowest), standingPercent(slowest))
	}
	if s.Left >= 0 {
		text += ", " + leftText(s.Left) + " left"
	}
	return text
}

// titleText says which composition a status is of: what its members call it,
// which is hearsay, and as many digits of its ID, which is not.
func titleText(s *conduct.Status, digits int) string {
	id := orch.ID(s.ID).String()[:digits]
	switch {
	case s.Title == "":
		return id
	case strings.Trim(s.Title, titleLetters) != "":
		return fmt.Sprintf("%s (%s)", strconv.Quote(s.Title), id)
	}
	return fmt.Sprintf("%s (%s)", s.Title, id)
}

// titleLetters are those of a title that is shown as it is. Any other is quoted,
// lest it look like another title, an ID, or how far members are.
const titleLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+~"

// memberTexts lists the members that came with the status, the slowest first,
// and says how many more there are.
func memberTexts(s *conduct.Status) []string {
	var lines []string
	for i := range s.Members {
		m := &s.Members[i]
		if m.Client {
			break
		}
		line := fmt.Sprintf("  %3d %%  %s", standingPercent(m), standingName(m))
		if m.Left > 0 {
			line += ", " + leftText(m.Left) + " left"
		}
		lines = append(lines, line)
	}
	if more := max(s.Listed, s.Pending) - len(lines); more > 0 {
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
	Name     string         `json:"name"` // empty: nobody told it
	Complete int            `json:"complete"`
	Known    int            `json:"known"`
	Pending  int            `json:"pending"`
	Left     float64        `json:"seconds_left"` // -1: not known
	Listed   int            `json:"listed"`
	Clients  int            `json:"clients"`
	Full     int            `json:"clients_complete"`
	Members  []standingLine `json:"members"`
}

type standingLine struct {
	Name      string  `json:"name"`
	Address   string  `json:"address"`
	Parts     int     `json:"parts"`
	PartsDone int     `json:"parts_done"`
	Complete  bool    `json:"complete"`
	Client    bool    `json:"client"`
	Left      float64 `json:"seconds_left"` // -1: not known
}

func statusJSON(s *conduct.Status) statusLine {
	line := statusLine{
		ID: orch.ID(s.ID).
			String(),
		Name: s.Title, Complete: s.Complete, Known: s.Known, Pending: s.Pending,
		Left: secondsLeft(s.Left), Listed: s.Listed, Clients: s.Clients, Full: s.ClientsComplete,
		Members: make([]standingLine, len(s.Members)),
	}
	for i := range s.Members {
		m := &s.Members[i]
		address := ""
		if m.Addr.IsValid() {
			address = m.Addr.String()
		}
		line.Members[i] = standingLine{
			Name: m.Label, Address: address, Parts: m.Parts, PartsDone: m.Have,
			Complete: m.Complete(), Client: m.Client, Left: secondsLeft(m.Left),
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
