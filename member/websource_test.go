package member

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"orchestra/member/origin"
	"orchestra/member/store"
	"orchestra/member/swarm"
)

// What the core is told to be here is stored, also if the web server ends at that moment: nobody
// would be asked for it again.
func TestWhatIsReceivedIsStored(t *testing.T) {
	content := randomBytes(1 << 20)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		http.ServeContent(w, req, "content.bin", time.Time{}, bytes.NewReader(content))
	}))
	defer srv.Close()
	for range 20 {
		l, _ := pair(t, content, Config{})
		m := l.m
		empty, err := store.Open(store.Config{File: m.comp, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		m.store = empty
		m.intake = m.newIntake()
		m.inbox = make(chan event) // the loop is busy
		ctx, cancel := context.WithCancel(t.Context())
		go m.intake.Work(ctx)
		from, err := origin.New(origin.Config{URL: srv.URL + "/content.bin", File: m.comp})
		if err != nil {
			t.Fatal(err)
		}
		w := newWebSource(m, from)
		w.up(1)
		ended := make(chan error, 1)
		go func() { ended <- w.run(ctx) }()
		run := swarm.Run{Length: 1 << 20}
		w.do(swarm.Fetch{Peer: 1, Run: run}, nil)
		whole := func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.reading) == 1 && w.reading[0].begun && w.reading[0].into == nil
		}
		var told []event
		hears := func(ev event) {
			switch ev.(type) {
			case swarm.Received, swarm.Stored:
				told = append(told, ev)
			}
		}
		for !whole() {
			select {
			case ev := <-m.inbox:
				hears(ev) // it may be whole since it was looked at
			default:
				runtime.Gosched()
			}
		}
		w.close(errors.New("it ended"))
		for len(told) < 2 {
			select {
			case ev := <-m.inbox:
				hears(ev)
			case <-time.After(time.Minute):
				t.Fatalf("the loop hears %v alone", told)
			}
		}
		if told[1] != event(swarm.Stored{Part: 0}) {
			t.Errorf("the loop hears %v", told)
		}
		cancel()
		<-ended
		empty.Close()
	}
}
