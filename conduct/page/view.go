// Package page shows what a conductor or a member does, live, to people with a browser. It knows
// neither: whoever has the page fills in a View, and is asked for one once a second while somebody
// looks.
//
//	browser ── GET /, assets ──> handler.go
//	browser ── GET /events ────> a viewer ─> the hub's loop (hub.go) ── Look ─> the owner
//	                                 <── snapshot, then changes (change.go), without addresses for
//	                                     strangers (mask.go)
package page

import "cmp"

// Limits of what is shown. Whoever fills in a View keeps to them.
const (
	MaxListed  = 200     // compositions in a View
	MaxMembers = 2000    // of one composition
	MaxFlows   = 600     // of one composition
	MaxEvents  = 100     // of one composition
	MaxCells   = 4096    // of a map of parts
	MaxParts   = 1 << 17 // of a composition that has a map
)

// A View is how things are at one time.
type View struct {
	Role    string `json:"role"`    // "conductor" or "member"
	Version string `json:"version"` // of the program
	Since   int64  `json:"since"`   // when it began, in milliseconds of Unix time
	Base    string `json:"base"`    // http://HOST:PORT of the files in Summary.File; "": not known
	Here    bool   `json:"here"`    // these are where the page is, under whatever address

	List    []Summary          `json:"-"` // those with the most members first, at most MaxListed
	More    int                `json:"-"` // that are not in the list
	Details map[string]*Detail `json:"-"` // by ID, of those that were asked for and are known
}

// A Summary is how far one composition is. It is compared with ==.
type Summary struct {
	ID       string `json:"id"`
	Title    string `json:"title"`    // "": not known; it may hold anything
	Size     int64  `json:"size"`     // bytes; 0: not known
	Parts    int64  `json:"parts"`    // 0: not known
	PartSize int64  `json:"partSize"` // bytes; 0: not known

	Complete    int `json:"complete"` // members listed now, by state
	Downloading int `json:"downloading"`
	Stalled     int `json:"stalled"`
	Gone        int `json:"gone"`    // that left before they were complete
	Clients     int `json:"clients"` // BitTorrent clients, which no other number counts
	Copies      int `json:"copies"`  // distinct ones that were complete, also of members that left

	Rate   int64 `json:"rate"`   // bytes a second that members get
	Moved  int64 `json:"moved"`  // bytes that they got
	Sent   int64 `json:"sent"`   // bytes that members say they sent
	Origin int64 `json:"origin"` // of those, by members that had everything from the start
	// seconds until all are complete; 0: nobody is incomplete; -1: not known
	Left    int64  `json:"left"`
	Slowest string `json:"slowest"`
	Have    int64  `json:"have"` // parts of all members together
	Want    int64  `json:"want"` // that they have when all are complete

	Spread Spread `json:"spread"`
	// the command that joins with a copy of the .orch file; "": not known
	Join string `json:"join"`
	File string `json:"file"` // the escaped path of the .orch file, for who has no copy; "": none
}

// A Spread is how many members hold each part.
type Spread struct {
	Known  bool   `json:"known"`
	Least  int    `json:"least"`  // holders of the rarest part
	None   int    `json:"none"`   // parts that nobody holds
	Single int    `json:"single"` // parts that one member holds
	Only   string `json:"only"`   // who holds all of those; "": several do
	Silent int    `json:"silent"` // members that do not tell which parts they have
}

// A Detail is what is shown of a composition that somebody looks at.
type Detail struct {
	Members []Member
	More    int // that are not among them
	Cells   Cells
	Flows   []Flow  // the strongest, at most MaxFlows
	Events  []Event // oldest first, at most MaxEvents
	Minutes Series
	Hour    Series
}

// A Member is a row of the table. Who and Now are compared with ==.
type Member struct {
	ID  uint64
	Who Who
	Now Now
}

// Who is what does not change often of a member.
type Who struct {
	Label   string `json:"label"` // it may hold anything
	Addr    string `json:"addr"`
	Version string `json:"version"` // of its program; it may hold anything
	Since   int64  `json:"since"`   // when it came, in seconds of Unix time
	Origin  bool   `json:"origin"`  // it had everything from the start
	Client  bool   `json:"client"`  // a BitTorrent client
	Self    bool   `json:"self"`    // who shows the page
	Web     bool   `json:"web"`     // a web server that has the content, and no member
}

// The states of a member.
const (
	Complete    = "complete"
	Downloading = "downloading"
	Stalled     = "stalled"
	Gone        = "gone"
)

// Now is what changes of a member.
type Now struct {
	State    string `json:"state"`
	Have     int64  `json:"have"`
	Parts    int64  `json:"parts"`
	Down     int64  `json:"down"` // bytes a second
	Up       int64  `json:"up"`
	Received int64  `json:"received"` // bytes
	Sent     int64  `json:"sent"`
	Left     int64  `json:"left"` // seconds; -1: not known
	Seen     int64  `json:"seen"` // when something came from it, in seconds of Unix time
	Errors   int    `json:"errors"`
	Why      string `json:"why"`   // nothing comes; it may hold anything
	Strip    string `json:"strip"` // see Strip; "": not known
}

// Cells are how many members hold the parts, some parts a cell where they are many.
type Cells struct {
	Span    int    `json:"span"`    // parts a cell; 0: not known
	Holders []byte `json:"holders"` // of the rarest part of each cell, 255 at most
}

// A Flow is what one member gets from another.
type Flow struct {
	From  uint64 `json:"from"`
	To    uint64 `json:"to"`
	Rate  int64  `json:"rate"`  // bytes a second
	Total int64  `json:"total"` // bytes
}

// An Event is something that happened.
type Event struct {
	ID   uint64 `json:"id"`
	At   int64  `json:"at"`   // in milliseconds of Unix time
	Kind string `json:"kind"` // joined, complete, left, gone, complaint, stalled
	Who  string `json:"who"`  // the member's label; it may hold anything
	Addr string `json:"addr"`
	Text string `json:"text"` // more about it; it may hold anything
}

// A Series is a part of a History.
type Series struct {
	Step   int64   `json:"step"`   // seconds from one point to the next
	Start  int64   `json:"start"`  // the first point's begin, in seconds of Unix time
	Total  []int64 `json:"total"`  // bytes a second
	Origin []int64 `json:"origin"` // of these, from members that had everything from the start
}

// stripCells is how many cells a strip has.
const stripCells = 48

// Strip shows which parts a bitfield has, as so many digits from 0 (none of a stretch of the parts)
// to 9 (all of it).
func Strip(bits []byte, parts int) string {
	if parts <= 0 || len(bits) < (parts+7)/8 {
		return ""
	}
	n := min(stripCells, parts)
	out := make([]byte, n)
	for i := range out {
		from, to := i*parts/n, (i+1)*parts/n
		have := 0
		for p := from; p < to; p++ {
			if bits[p>>3]&(0x80>>(p&7)) != 0 {
				have++
			}
		}
		digit := have * 9 / (to - from)
		if have > 0 {
			digit = max(digit, 1)
		}
		out[i] = '0' + byte(digit)
	}
	return string(out)
}

// CellsOf makes cells out of how many hold each part, beside those that hold everything.
func CellsOf(holders []uint32, everywhere int) Cells {
	if len(holders) == 0 {
		return Cells{}
	}
	span := (len(holders) + MaxCells - 1) / MaxCells
	c := Cells{Span: span, Holders: make([]byte, (len(holders)+span-1)/span)}
	for i := range c.Holders {
		least := 255
		for _, n := range holders[i*span : min((i+1)*span, len(holders))] {
			least = min(least, int(n)+everywhere)
		}
		c.Holders[i] = byte(least)
	}
	return c
}

// JoinCommand is what to type elsewhere, as far as the title can be typed as it is: whoever names
// the content may call it anything.
func JoinCommand(title string) string {
	for i, c := range title {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || i > 0 && c == '-'
		if !plain {
			title = ""
			break
		}
	}
	return "orchestra join " + cmp.Or(title, "FILE") + ".orch"
}
