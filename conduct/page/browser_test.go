package page_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"orchestra/compose"
	"orchestra/conduct"
	pages "orchestra/conduct/page"
	"orchestra/member"
)

// The page in a browser, during a real swarm. It takes a browser and some seconds, so it runs for
// `make browser` only. ORCHESTRA_TEST_SHOTS names a folder for screenshots.

// patience is how long anything may take on a busy machine.
const patience = 60 * time.Second

// A browser shows one page, and notes what no page of ours may do.
type browser struct {
	t      *testing.T
	ctx    context.Context
	origin string

	// allowed reports whether a fault is what the test brings about; nil: none is.
	allowed func(fault string) bool

	mu     sync.Mutex
	faults []string
}

// open starts a browser for the pages of one origin.
func open(t *testing.T, origin string) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no browser (Debian: chromium)")
		}
		t.Skip("there is no browser (Debian: chromium)")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*patience)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, origin: origin}
	chromedp.ListenTarget(ctx, b.watch)
	b.run(log.Enable(), network.Enable(), chromedp.EmulateViewport(1280, 900),
		chromedp.ActionFunc(func(ctx context.Context) error {
			const tell = `document.addEventListener("securitypolicyviolation", (e) =>
				console.error("policy: " + e.violatedDirective + " " + e.blockedURI));`
			_, err := page.AddScriptToEvaluateOnNewDocument(tell).Do(ctx)
			return err
		}))
	return b
}

// watch notes errors, violations of the policy and requests to elsewhere.
func (b *browser) watch(ev any) {
	fault := ""
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		for _, v := range ev.Args {
			fault += fmt.Sprintf("console %s: %s %s ", ev.Type, v.Value, v.Description)
		}
	case *runtime.EventExceptionThrown:
		fault = "exception: " + ev.ExceptionDetails.Error()
	case *log.EventEntryAdded:
		fault = fmt.Sprintf("log: %s %s", ev.Entry.Text, ev.Entry.URL)
	case *network.EventRequestWillBeSent:
		url := ev.Request.URL
		if !strings.HasPrefix(url, b.origin+"/") && !strings.HasPrefix(url, "data:") {
			fault = "a request to " + ev.Request.URL
		}
	}
	if fault != "" {
		b.mu.Lock()
		b.faults = append(b.faults, fault)
		b.mu.Unlock()
	}
}

func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// do runs a statement.
func (b *browser) do(js string) {
	b.t.Helper()
	b.run(chromedp.Evaluate(js, nil))
}

// textOf is the expression for the text of the first element that a selector finds.
func textOf(selector string) string {
	return fmt.Sprintf("document.querySelector(%q).textContent", selector)
}

// shownRows is the expression for the rows of the members that are shown.
const shownRows = `[...document.querySelectorAll("#rows tbody tr:not(.pad):not([hidden])")]`

// eval returns what an expression is, as text.
func (b *browser) eval(js string) (text string) {
	b.t.Helper()
	b.run(chromedp.Evaluate("String("+js+")", &text))
	return text
}

// until waits until an expression is true.
func (b *browser) until(what, js string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); b.eval(js) != "true"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("not within %v: %s (%s)\n%s", patience, what, js, b.eval("document.body.innerText"))
		}
	}
}

// clean fails the test if the page did what it may not.
func (b *browser) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		if b.allowed == nil || !b.allowed(f) {
			b.t.Error(f)
		}
	}
}

// expect waits until each of these texts is in a fault.
func (b *browser) expect(texts ...string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		b.mu.Lock()
		faults := strings.Join(b.faults, "\n")
		b.mu.Unlock()
		texts = slices.DeleteFunc(texts, func(s string) bool { return strings.Contains(faults, s) })
		if len(texts) == 0 {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("not within %v: %v\n%s", patience, texts, faults)
		}
	}
}

// shot takes a picture of the whole page, if pictures are wanted.
func (b *browser) shot(name, scheme string, width int64) {
	b.t.Helper()
	dir := os.Getenv("ORCHESTRA_TEST_SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	colours := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	b.run(chromedp.EmulateViewport(width, 900),
		emulation.SetEmulatedMedia().WithFeatures(colours), chromedp.Sleep(time.Second),
		chromedp.FullScreenshot(&png, 100), chromedp.EmulateViewport(1280, 900))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func wantBrowser(t *testing.T) {
	if os.Getenv("ORCHESTRA_TEST_BROWSER") == "" {
		t.Skip("runs with a browser: make browser")
	}
}

// hostile is what a member may call itself.
const hostile = `<img src=x onerror=alert(1)>`

func TestBrowserDuringASwarm(t *testing.T) {
	wantBrowser(t)
	at, begin := swarm(t, 1<<20, append(slices.Repeat([]string{""}, 7), hostile))
	origin := "http://" + at
	b := open(t, origin)
	b.run(chromedp.Navigate(origin + "/"))
	begin() // the swarm does not last as long as a browser may take to start
	b.until("the composition is shown", textOf("#title")+` === "photos.tar"`)
	b.until("all members are", textOf("#done")+`.endsWith("of 9")`)
	b.until("it is live", `document.querySelector("#live").className === "live on"`)

	b.until("the command has an address for others", `document.querySelector("#join").textContent ===
		"orchestra get http://192.0.2.1:9999/photos.orch"`)

	first := b.eval(textOf("#doneMore"))
	b.until("it goes on", fmt.Sprintf(`document.querySelector("#doneMore").textContent !== %q`, first))
	b.until("members tell what they hold", `!document.querySelector("#partsBox").hidden &&
		document.querySelector("#parts").height > 20`)
	b.until("who sends is drawn", `document.querySelectorAll("#picture svg .node").length >= 5`)
	b.until("the rate is shown", textOf("#rate")+`.endsWith("iB/s")`)
	b.until("the plot is drawn", `document.querySelectorAll("#plot canvas").length === 1`)

	const names = `JSON.stringify(` + shownRows + `.map((r) => r.querySelector("b").textContent))`
	if got := b.eval(shownRows + ".length"); got != "9" {
		t.Errorf("%s rows", got)
	}
	click := func(sel string) { b.run(chromedp.Click(sel, chromedp.ByQuery)) }
	click(`#rows th[data-id=label] button`)
	up := b.eval(names)
	click(`#rows th[data-id=label] button`)
	down := b.eval(names)
	if !strings.HasPrefix(up, `["`+hostile[:3]) || !strings.HasPrefix(down, `["the-first-sharer`) {
		t.Errorf("sorted %s and %s", up, down)
	}
	const order = `document.querySelector("#rows th[data-id=label]").getAttribute("aria-sort")`
	if got := b.eval(order); got != "descending" {
		t.Errorf("the order is said to be %q", got)
	}
	if got := b.eval(`document.querySelectorAll("main img").length`); got != "0" {
		t.Error("a member's name became markup")
	}

	b.run(chromedp.KeyEvent("/"))
	if got := b.eval("document.activeElement.id"); got != "filter" {
		t.Errorf("/ leads to %q", got)
	}
	find := func(words string) {
		b.do(fmt.Sprintf(`filter.value = %q; filter.dispatchEvent(new Event("input"))`, words))
	}
	find("LAB-03")
	if got := b.eval(names); got != `["lab-03"]` {
		t.Errorf("filtered: %s", got)
	}
	if got := b.eval(textOf("#count")); got != "1 of 9" {
		t.Errorf("counted: %s", got)
	}
	find("")

	click("#asMatrix")
	b.until("the matrix has what is sent",
		`document.querySelectorAll("#matrix td[title]").length >= 4`)
	click("#asPicture")
	click("#span60")
	click("#span5")
	b.run(chromedp.Focus("#parts", chromedp.ByQuery), chromedp.KeyEvent(kb.ArrowRight))
	b.until("a part is told of", textOf("#cell")+`.startsWith("Part 1 is held by")`)
	for _, table := range []string{"#plotTable", "#partsTable"} {
		b.do(`document.querySelector("` + table + `").parentElement.open = true`)
		b.until("there is a table", `document.querySelectorAll("`+table+` td").length > 1`)
		b.do(`document.querySelector("` + table + `").parentElement.open = false`)
	}
	b.shot("page-light", "light", 1280)
	b.shot("page-dark", "dark", 1280)
	b.shot("page-narrow", "light", 390)
	b.until("all are complete", textOf("#done")+` === "9 of 9"`)
	click(`#only button:nth-child(2)`)
	if got := b.eval(shownRows + ".length"); got != "9" {
		t.Errorf("%s rows are complete", got)
	}
	b.until("events tell of it", textOf("#events")+`.includes("lab-03 is complete")`)
	b.shot("page-complete", "light", 1280)
	b.clean()
}

// swarm runs a conductor and returns its address. To begin it is to run a member that has a file
// and others that get it, no faster than rate.
func swarm(t *testing.T, rate int64, names []string) (at string, begin func()) {
	t.Helper()
	dir := t.TempDir()
	original := filepath.Join(dir, "photos.tar")
	content := make([]byte, 24<<20)
	rand.NewChaCha8([32]byte{1}).Read(content)
	if err := os.WriteFile(original, content, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() { stop(); running.Wait() })
	shelf := new(conduct.Shelf)
	c, err := conduct.New(conduct.Config{
		Listen: "127.0.0.1:0", Version: "1.2.3", Publish: shelf,
		Public: func() string { return "192.0.2.1:9999" },
	})
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { c.Run(ctx) })
	f, err := compose.Compose(ctx, compose.Config{
		Path: original, Conductors: []string{c.Addr().String()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := shelf.Put("photos.orch", f); err != nil {
		t.Fatal(err)
	}
	join := func(dir, name string) {
		m, err := member.New(member.Config{
			File: f, Dir: dir, Name: name, Listen: "127.0.0.1:0", Version: "1.2.3",
			UploadLimit: rate, DownloadLimit: rate,
		})
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			if err := m.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	return c.Addr().String(), func() {
		join(dir, "the-first-sharer")
		for i, name := range names {
			if name == "" {
				name = fmt.Sprintf("lab-%02d", i+1)
			}
			join(filepath.Join(dir, fmt.Sprint(i)), name)
		}
	}
}

// Two thousand members are as smooth as ten: few rows exist, and a change takes no noticeable time.
func TestBrowserManyMembers(t *testing.T) {
	wantBrowser(t)
	id := strings.Repeat("ab", 20)
	random := rand.New(rand.NewPCG(1, 1))
	detail := &pages.Detail{Cells: pages.CellsOf(make([]uint32, 2048), 1)}
	for i := range pages.MaxMembers {
		m := pages.Member{ID: uint64(i + 1), Who: pages.Who{
			Label: fmt.Sprintf("host-%04d", i), Version: "1.2.3",
			Addr: fmt.Sprintf("10.0.%d.%d:10001", i/250, i%250+1),
		}}
		m.Now = pages.Now{State: pages.Downloading, Parts: 2048, Left: -1}
		detail.Members = append(detail.Members, m)
		if i > 0 && i < pages.MaxFlows {
			detail.Flows = append(detail.Flows, pages.Flow{
				From: uint64(i), To: uint64(i + 1), Rate: 1 << 20, Total: 1 << 30,
			})
		}
	}
	looks := 0
	p := pages.New(pages.Config{Look: func(context.Context, []string) (pages.View, bool) {
		looks++
		d := *detail
		d.Members = slices.Clone(d.Members)
		for i := range d.Members {
			n := &d.Members[i].Now
			n.Have, n.Down = int64(min(2048, 10*looks+i%50)), random.Int64N(1<<20)
			n.Strip = strings.Repeat(fmt.Sprint(looks%10), 48)
		}
		return pages.View{
			Role: "conductor", Details: map[string]*pages.Detail{id: &d},
			List: []pages.Summary{{ID: id, Title: "many", Parts: 2048, Downloading: len(d.Members)}},
		}, true
	}})
	at := serve(t, p)
	b := open(t, at)
	b.run(chromedp.Navigate(at + "/#" + id))
	b.until("they are there", textOf("#count")+` === "2,000 members"`)
	b.do(`window.tasks = []; new PerformanceObserver((l) => l.getEntries().forEach(
		(e) => tasks.push(e.duration))).observe({ type: "longtask" })`)
	for range 10 {
		b.do(`document.querySelector("#rows").scrollBy(0, 6000)`)
		b.run(chromedp.Sleep(300 * time.Millisecond))
	}
	b.do(`document.querySelector("#rows").scrollTo(0, 1e9)`)
	b.until("the last is at the end", shownRows+`.at(-1).textContent.includes("host-1999")`)
	if got := b.eval(`document.querySelectorAll("#rows tr").length < 90`); got != "true" {
		t.Errorf("%s rows exist", b.eval(`document.querySelectorAll("#rows tr").length`))
	}
	t.Logf("tasks of more than 50 ms, in ms: %s", b.eval("JSON.stringify(tasks)"))
	b.clean()
}

// A page with a token asks for it, and shows itself to who has it.
func TestBrowserToken(t *testing.T) {
	wantBrowser(t)
	const token = "0123456789abcdefghij"
	p := pages.New(pages.Config{Token: token, Look: func(context.Context, []string) (pages.View, bool) {
		return pages.View{Role: "conductor", Version: "1.2.3"}, true
	}})
	at := serve(t, p)
	b := open(t, at)
	b.run(chromedp.Navigate(at+"/"), chromedp.WaitVisible("input[name=token]", chromedp.ByQuery))
	b.shot("page-token", "light", 1280)
	// The answer itself is logged, at a time of the browser's choosing; nothing else may be.
	b.allowed = func(fault string) bool {
		return strings.Contains(fault, "401") && strings.HasSuffix(fault, at+"/")
	}
	b.run(chromedp.SendKeys("input[name=token]", token+kb.Enter, chromedp.ByQuery))
	b.until("the page is shown",
		`document.querySelector("#empty")?.textContent.startsWith("No composition")`)
	if got := b.eval("location.href"); got != at+"/" {
		t.Errorf("it is at %s", got)
	}
	if got := b.eval("document.cookie"); got != "" {
		t.Errorf("scripts see the cookie %s", got)
	}
	b.clean()
}

// serve has a page served until the test ends, and returns its URL.
func serve(t *testing.T, p *pages.Page) string {
	t.Helper()
	go p.Run(t.Context())
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections)
	return srv.URL
}

// The policy is in force: what would run in spite of it does not.
func TestBrowserPolicy(t *testing.T) {
	wantBrowser(t)
	at := serve(t, pages.New(pages.Config{Look: func(context.Context, []string) (pages.View, bool) {
		return pages.View{}, true
	}}))
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("something was fetched from elsewhere")
	}))
	t.Cleanup(outside.Close)
	b := open(t, at)
	b.run(chromedp.Navigate(at+"/"), chromedp.Evaluate(`
		for (const tag of ["img", "script", "iframe"]) {
			try {
				const e = document.createElement(tag);
				e.src = "`+outside.URL+`/x"; document.body.append(e);
			} catch (e) { console.error("policy: " + e); }
		}
		try { document.body.innerHTML = "<b>x</b>"; } catch (e) { console.error("policy: " + e); }
		fetch("`+outside.URL+`/y").catch(() => {}); 1`, nil))
	b.expect("img-src", "frame-src", "connect-src", "require-trusted-types-for")
}
