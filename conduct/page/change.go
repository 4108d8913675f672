package page

import (
	"bytes"
	"encoding/json"
	"slices"
)

// What is sent: first all, then what is different. The page puts changes together again, so that
// what it has is what the View had.
type (
	message struct {
		Now     int64    `json:"now"` // in milliseconds of Unix time
		Masked  *bool    `json:"masked,omitempty"`
		Page    *View    `json:"page,omitempty"`
		List    *listing `json:"list,omitempty"`
		Detail  *part    `json:"detail,omitempty"`
		Missing bool     `json:"missing,omitempty"` // what was asked for is not known
	}
	listing struct {
		More  int       `json:"more"`
		Order *[]string `json:"order,omitempty"` // of all, if it is another one
		Set   []Summary `json:"set,omitempty"`
	}
	part struct {
		ID      string   `json:"id"`
		More    int      `json:"more"`
		Rows    []row    `json:"rows,omitempty"`
		Removed []uint64 `json:"removed,omitempty"`
		Cells   *Cells   `json:"cells,omitempty"`
		Flows   *[]Flow  `json:"flows,omitempty"`
		Events  []Event  `json:"events,omitempty"` // later ones than before
		Minutes *Series  `json:"minutes,omitempty"`
		Hour    *Series  `json:"hour,omitempty"`
	}
	row struct {
		ID  uint64 `json:"id"`
		Who *Who   `json:"who,omitempty"`
		Now *Now   `json:"now,omitempty"`
	}
)

// changedList returns what of the list is other than before; nil if nothing is.
func changedList(before, after View) *listing {
	had := make(map[string]Summary, len(before.List))
	for _, s := range before.List {
		had[s.ID] = s
	}
	l := &listing{More: after.More}
	for _, s := range after.List {
		if old, ok := had[s.ID]; !ok || old != s {
			l.Set = append(l.Set, s)
		}
	}
	same := slices.EqualFunc(before.List, after.List, func(a, b Summary) bool { return a.ID == b.ID })
	if same && len(l.Set) == 0 && before.More == after.More {
		return nil
	}
	if !same {
		order := make([]string, len(after.List))
		for i, s := range after.List {
			order[i] = s.ID
		}
		l.Order = &order
	}
	return l
}

// changedDetail returns what of a composition is other than before, or all if there is no before.
func changedDetail(id string, before, after *Detail) *part {
	p := &part{ID: id, More: after.More}
	var old Detail
	if before != nil {
		old = *before
	}
	had := make(map[uint64]*Member, len(old.Members))
	for i := range old.Members {
		had[old.Members[i].ID] = &old.Members[i]
	}
	for i := range after.Members {
		m := &after.Members[i]
		was := had[m.ID]
		delete(had, m.ID)
		r := row{ID: m.ID}
		if was == nil || was.Who != m.Who {
			r.Who = &m.Who
		}
		if was == nil || was.Now != m.Now {
			r.Now = &m.Now
		}
		if r.Who != nil || r.Now != nil {
			p.Rows = append(p.Rows, r)
		}
	}
	for i := range old.Members {
		if _, left := had[old.Members[i].ID]; left {
			p.Removed = append(p.Removed, old.Members[i].ID)
		}
	}
	if before == nil || old.Cells.Span != after.Cells.Span || !bytes.Equal(old.Cells.Holders, after.Cells.Holders) {
		p.Cells = &after.Cells
	}
	if before == nil || !slices.Equal(old.Flows, after.Flows) {
		p.Flows = &after.Flows
	}
	last := uint64(0)
	if n := len(old.Events); n > 0 {
		last = old.Events[n-1].ID
	}
	if i := slices.IndexFunc(after.Events, func(e Event) bool { return e.ID > last }); i >= 0 {
		p.Events = after.Events[i:]
	}
	minutes, hour := after.Minutes, after.Hour
	if before != nil {
		minutes, hour = minutes.tail(), hour.tail()
	}
	p.Minutes, p.Hour = &minutes, &hour
	return p
}

// frame is a server-sent event.
func frame(kind string, m message) []byte {
	text, err := json.Marshal(m)
	if err != nil {
		// it consists of numbers and texts
		panic("page: a view that cannot be encoded: " + err.Error())
	}
	b := make([]byte, 0, len(text)+len(kind)+16)
	b = append(append(append(b, "event: "...), kind...), "\ndata: "...)
	return append(append(b, text...), "\n\n"...)
}
