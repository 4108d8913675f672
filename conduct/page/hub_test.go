package page

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const testID = "0123456789abcdef0123456789abcdef01234567"

// theatre is a page with a View that the test changes, and what it was asked.
type theatre struct {
	t *testing.T
	p *Page

	mu    sync.Mutex // guards what follows, which the hub sees
	view  View
	asked [][]string
}

// set changes what there is to see.
func (th *theatre) set(change func(v *View)) {
	th.mu.Lock()
	defer th.mu.Unlock()
	change(&th.view)
}

// asks is what the hub asked for so far.
func (th *theatre) asks() [][]string {
	synctest.Wait()
	th.mu.Lock()
	defer th.mu.Unlock()
	return slices.Clone(th.asked)
}

func stage(t *testing.T) *theatre {
	th := &theatre{t: t, view: View{Role: "conductor", Details: map[string]*Detail{}}}
	th.p = New(Config{Look: func(_ context.Context, ids []string) (View, bool) {
		th.mu.Lock()
		defer th.mu.Unlock()
		th.asked = append(th.asked, slices.Clone(ids))
		v := th.view
		v.Details = map[string]*Detail{}
		for _, id := range ids {
			if d := th.view.Details[id]; d != nil {
				v.Details[id] = d
			}
		}
		return v, true
	}})
	ctx, cancel := context.WithCancel(t.Context())
	go th.p.Run(ctx)
	t.Cleanup(func() { cancel(); <-th.p.ended })
	return th
}

func (th *theatre) enter(id, from string, masked bool) *viewer {
	th.t.Helper()
	v := &viewer{id: id, source: netip.MustParseAddr(from), masked: masked, queue: make(chan []byte, viewerQueue)}
	ok := make(chan bool, 1)
	th.p.enter <- entering{v, ok}
	if !<-ok {
		return nil
	}
	return v
}

// next is the next message to a viewer; nil if there is none now.
func next(t *testing.T, v *viewer) (kind string, m *message) {
	t.Helper()
	synctest.Wait()
	select {
	case text, open := <-v.queue:
		if !open {
			return "closed", nil
		}
		head, data, ok := strings.Cut(strings.TrimSuffix(string(text), "\n\n"), "\ndata: ")
		if !ok || strings.Contains(data, "\n") {
			t.Fatalf("the frame is %q", text)
		}
		m = new(message)
		if err := json.Unmarshal([]byte(data), m); err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(head, "event: "), m
	default:
		return "", nil
	}
}

func TestNobodyLooksNothingIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := stage(t)
		time.Sleep(time.Hour)
		if n := len(th.asks()); n != 0 {
			t.Fatalf("asked %d times without a viewer", n)
		}
		th.set(func(v *View) { v.Details[testID] = &Detail{} })
		v := th.enter(testID, "127.0.0.1", false)
		time.Sleep(2500 * time.Millisecond)
		if n := len(th.asks()); n != 3 {
			t.Errorf("asked %d times in 2.5 s", n)
		}
		th.p.leave <- v
		time.Sleep(time.Hour)
		asked := th.asks()
		n := len(asked)
		if n > 15 || len(asked[n-1]) != 0 || len(asked[n-2]) != 1 {
			t.Errorf("after the viewer went it was asked for %v", asked)
		}
	})
}

func TestSnapshotThenChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := stage(t)
		who := Who{Label: "x", Addr: "192.0.2.1:1"}
		th.set(func(v *View) {
			v.List = []Summary{{ID: testID, Title: "a"}}
			v.Details[testID] = &Detail{Members: []Member{{ID: 1, Who: who, Now: Now{Have: 1}}, {ID: 2}}}
		})
		v, stranger := th.enter(testID, "127.0.0.1", false), th.enter(testID, "192.0.2.9", true)
		kind, m := next(t, v)
		if kind != "snapshot" || m.Page == nil || *m.Masked || len(m.List.Set) != 1 || len(m.Detail.Rows) != 2 || m.Detail.Rows[0].Who.Addr != "192.0.2.1:1" {
			t.Fatalf("first %s %+v", kind, m)
		}
		time.Sleep(lookEvery)
		if kind, m := next(t, stranger); kind != "snapshot" || !*m.Masked || m.Detail.Rows[0].Who.Addr != "192.0.•.•" {
			t.Fatalf("the stranger's first %s %+v", kind, m)
		}
		next(t, v)
		th.set(func(v *View) {
			v.Details[testID] = &Detail{Members: []Member{{ID: 1, Who: who, Now: Now{Have: 2}}, {ID: 3}}}
		})
		time.Sleep(lookEvery)
		kind, m = next(t, v)
		if kind != "change" || m.List != nil || len(m.Detail.Rows) != 2 || m.Detail.Rows[0].Who != nil || m.Detail.Rows[0].Now.Have != 2 ||
			!slices.Equal(m.Detail.Removed, []uint64{2}) {
			t.Errorf("then %s %+v", kind, m.Detail)
		}
		th.set(func(v *View) { delete(v.Details, testID) })
		time.Sleep(lookEvery)
		if _, m = next(t, v); !m.Missing {
			t.Errorf("what is gone: %+v", m)
		}
	})
}

func TestSlowViewerIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := stage(t)
		slow, quick := th.enter("", "192.0.2.1", true), th.enter("", "192.0.2.2", true)
		for range 3 * viewerQueue {
			time.Sleep(lookEvery)
			next(t, quick)
		}
		for range viewerQueue {
			if kind, _ := next(t, slow); kind == "closed" {
				t.Fatal("what was sent in time is lost")
			}
		}
		if kind, _ := next(t, slow); kind != "closed" {
			t.Errorf("after %d frames comes %q", viewerQueue, kind)
		}
		if kind, _ := next(t, quick); kind == "closed" || th.p.Viewers() != 1 {
			t.Errorf("the other one: %q, %d viewers", kind, th.p.Viewers())
		}
		th.p.leave <- slow // its handler ends, and says so
	})
}

func TestViewersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := stage(t)
		in := 0
		for range 3 * maxPerSource {
			if th.enter("", "192.0.2.1", true) != nil {
				in++
			}
		}
		if in != maxPerSource {
			t.Errorf("%d viewers of one address, want %d", in, maxPerSource)
		}
		for i := range 2 * maxViewers {
			if th.enter("", fmt.Sprintf("198.51.100.%d", i), true) != nil {
				in++
			}
		}
		if in != maxViewers {
			t.Errorf("%d viewers, want %d", in, maxViewers)
		}
		// However many come at once, it is looked a few times a second.
		if n := len(th.asks()); n > 2 {
			t.Errorf("looked %d times for those who came at once", n)
		}
	})
}

// What a browser has after any number of changes is what there is: the changes leave out nothing.
func TestChangesAddUp(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	var before View
	var beforeDetail *Detail
	list, order := map[string]Summary{}, []string{}
	rows := map[uint64]Member{}
	var flows []Flow
	var cells Cells
	var events []Event
	last := uint64(0)
	for step := range 500 {
		after := View{}
		for i := range random.IntN(5) {
			after.List = append(after.List, Summary{ID: fmt.Sprint(i), Rate: random.Int64N(3)})
		}
		random.Shuffle(len(after.List), func(i, j int) { after.List[i], after.List[j] = after.List[j], after.List[i] })
		detail := &Detail{Cells: Cells{1, []byte{byte(random.IntN(2))}}}
		for i := range random.IntN(8) {
			detail.Members = append(detail.Members, Member{ID: uint64(i), Who: Who{Since: random.Int64N(2)}, Now: Now{Have: random.Int64N(3)}})
		}
		for range random.IntN(2) {
			last++
			events = append(events, Event{ID: last})
		}
		detail.Events = events[max(0, len(events)-3):]
		detail.Flows = make([]Flow, random.IntN(3))

		if l := changedList(before, after); l != nil {
			for _, s := range l.Set {
				list[s.ID] = s
			}
			if l.Order != nil {
				order = *l.Order
			}
		}
		d := changedDetail("", beforeDetail, detail)
		for _, id := range d.Removed {
			delete(rows, id)
		}
		for _, r := range d.Rows {
			m := rows[r.ID]
			m.ID = r.ID
			if r.Who != nil {
				m.Who = *r.Who
			}
			if r.Now != nil {
				m.Now = *r.Now
			}
			rows[r.ID] = m
		}
		if d.Flows != nil {
			flows = *d.Flows
		}
		if d.Cells != nil {
			cells = *d.Cells
		}
		want := make(map[uint64]Member)
		for _, m := range detail.Members {
			want[m.ID] = m
		}
		if !maps.Equal(rows, want) || !slices.Equal(flows, detail.Flows) || !reflect.DeepEqual(cells, detail.Cells) {
			t.Fatalf("step %d: there are %v %v %v, of %+v", step, rows, flows, cells, detail)
		}
		if len(after.List) != len(order) {
			t.Fatalf("step %d: the order is %v of %v", step, order, after.List)
		}
		for i, s := range after.List {
			if order[i] != s.ID || list[s.ID] != s {
				t.Fatalf("step %d: %v in %v, of %v", step, list, order, after.List)
			}
		}
		before, beforeDetail = after, detail
	}
}
