package lan

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func addrs(all ...string) []netip.Addr {
	out := make([]netip.Addr, len(all))
	for i, s := range all {
		out[i] = netip.MustParseAddr(s)
	}
	return out
}

// aNetwork is one with these addresses of this machine.
func aNetwork(name string, index int, prefixes ...string) network {
	n := network{ifi: net.Interface{Name: name, Index: index}}
	for _, p := range prefixes {
		n.addrs = append(n.addrs, netip.MustParsePrefix(p))
	}
	return n
}

func anIdentity(t *testing.T, hostname string) identity {
	t.Helper()
	self, err := newIdentity(hostname, "0badcafe", 9999)
	if err != nil {
		t.Fatalf("%q: %v", hostname, err)
	}
	return self
}

// What is asked for is answered in a form that is understood, however it is asked.
func TestQuestionsAreAnswered(t *testing.T) {
	self := anIdentity(t, "lab-1.example.org")
	here := addrs("192.168.1.5", "fe80::5")
	for _, unicast := range []bool{false, true} {
		q, ok := readQuery(query(7, unicast))
		if !ok || q.id != 7 || q.unicast != unicast || len(q.questions) != 1 {
			t.Fatalf("the question is read as %+v, %v", q, ok)
		}
		for _, once := range []bool{false, true} {
			got := readAnswer(self.answer(q, here, once))
			want := []place{{strings.ToLower(self.instance.String()), []netip.AddrPort{
				netip.MustParseAddrPort("192.168.1.5:9999"), netip.MustParseAddrPort("[fe80::5]:9999"),
			}}}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("once %v: the answer is read as %v, want %v", once, got, want)
			}
		}
	}
	ask := func(name string, kind dnsmessage.Type) int {
		t.Helper()
		m := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}}}
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		q, _ := readQuery(b)
		var answer dnsmessage.Message
		text := self.answer(q, here, true)
		if text == nil {
			return 0
		}
		if err := answer.Unpack(text); err != nil {
			t.Fatal(err)
		}
		return len(answer.Answers)
	}
	instance, host := self.instance.String(), self.host.String()
	for _, c := range []struct {
		name string
		kind dnsmessage.Type
		want int
	}{
		{serviceName, dnsmessage.TypePTR, 1},
		{strings.ToUpper(serviceName), dnsmessage.TypePTR, 1},
		{listName, dnsmessage.TypePTR, 1},
		{instance, dnsmessage.TypeSRV, 1},
		{instance, dnsmessage.TypeTXT, 1},
		{instance, dnsmessage.TypeALL, 2},
		{host, dnsmessage.TypeA, 1},
		{host, dnsmessage.TypeAAAA, 1},
		{host, dnsmessage.TypeMX, 0},
		{"_http._tcp.local.", dnsmessage.TypePTR, 0},
	} {
		if got := ask(c.name, c.kind); got != c.want {
			t.Errorf("%s %v: %d answers, want %d", c.name, c.kind, got, c.want)
		}
	}
	if got := readAnswer(self.unasked(here, memoryTTL)); len(got) != 1 {
		t.Errorf("who comes is read as %v", got)
	}
	if got := readAnswer(self.unasked(here, 0)); len(got) != 0 {
		t.Errorf("who goes is read as %v", got)
	}
}

func TestNamesOfHosts(t *testing.T) {
	for hostname, want := range map[string]string{
		"lab-1":                   "lab-1 orchestra-0badcafe.",
		"lab-1.example.org":       "lab-1 orchestra-0badcafe.",
		"":                        "orchestra-0badcafe.",
		"a b\n\x1b[31mc.d":        "ab31mc orchestra-0badcafe.",
		"ü":                       "orchestra-0badcafe.",
		strings.Repeat("x", 1000): strings.Repeat("x", 44) + " orchestra-0badcafe.",
	} {
		self := anIdentity(t, hostname)
		if got := self.instance.String(); got != want+serviceName {
			t.Errorf("%.20q is %q, want %q", hostname, got, want)
		}
		q, _ := readQuery(query(0, true))
		if self.answer(q, addrs("10.0.0.1"), true) == nil {
			t.Errorf("%.20q cannot be told", hostname)
		}
	}
}

// Each network is told its own addresses and no others, and none is told of a conductor that does
// not listen there.
func TestAddressesThatAreTold(t *testing.T) {
	n := aNetwork("eth0", 2, "192.168.1.5/24", "fd00::5/64", "fe80::5/64")
	for listens, want := range map[string]string{
		"::":           "[192.168.1.5 fd00::5 fe80::5]",
		"0.0.0.0":      "[192.168.1.5]",
		"192.168.1.5":  "[192.168.1.5]",
		"fd00::5":      "[fd00::5]",
		"fe80::5%eth0": "[]",
		"10.0.0.1":     "[]",
		"127.0.0.1":    "[]",
	} {
		a := announcer{listens: netip.MustParseAddr(listens)}
		if got := fmt.Sprint(a.tellable(&n)); got != want {
			t.Errorf("listening on %s it tells %s, want %s", listens, got, want)
		}
	}
}

// What comes over another interface, or from an address of another network, is not heard.
func TestOnlyThisNetworkIsHeard(t *testing.T) {
	s := socket{network: aNetwork("eth0", 2, "192.168.1.5/24", "fe80::5/64")}
	for _, c := range []struct {
		ifi  int
		from string
		want bool
	}{
		{2, "192.168.1.9", true},
		{0, "192.168.1.9", true},
		{3, "192.168.1.9", false},
		{2, "192.168.2.9", false},
		{2, "8.8.8.8", false},
		{2, "fe80::9%eth0", true},
		{0, "fe80::9%2", true},
		{0, "fe80::9%eth1", false},
	} {
		if got := s.isHere(c.ifi, netip.MustParseAddr(c.from)); got != c.want {
			t.Errorf("interface %d, %s: %v", c.ifi, c.from, got)
		}
	}
}

// Nobody can be sent elsewhere by an answer, nor told of without end.
func TestWhatIsBelieved(t *testing.T) {
	n := aNetwork("eth0", 2, "192.168.1.5/24", "fe80::5/64")
	f := finding{found: make(map[string][]netip.AddrPort)}
	at := func(all ...string) (out []netip.AddrPort) {
		for _, s := range all {
			out = append(out, netip.MustParseAddrPort(s))
		}
		return out
	}
	f.add(&n, place{"elsewhere", at("10.0.0.1:80", "127.0.0.1:22", "8.8.8.8:53", "[2001:db8::1]:80", "[::1]:1")})
	f.add(&n, place{"here", at("[fe80::9]:9999", "192.168.1.9:9999", "10.0.0.1:80")})
	f.add(&n, place{"here", at("192.168.1.9:9999")})
	got := f.list()
	if len(got) != 1 || fmt.Sprint(got[0]) != "{here [192.168.1.9:9999 [fe80::9%eth0]:9999]}" {
		t.Errorf("found are %v", got)
	}
	for i := range 10_000 {
		f.add(&n, place{fmt.Sprint(i), at("192.168.1.9:1")})
		f.add(&n, place{"0", at(fmt.Sprintf("192.168.1.9:%d", i+1))})
	}
	if got := f.list(); len(got) != mostFound {
		t.Errorf("%d are found", len(got))
	}
	if got := len(f.found["0"]); got != mostAt {
		t.Errorf("one has %d addresses", got)
	}
}

func TestAddresses(t *testing.T) {
	const up, tun = net.FlagUp, net.FlagUp | net.FlagPointToPoint
	on := func(name, a string, flags net.Flags) candidate { return candidate{netip.MustParseAddr(a), name, flags} }
	lo := []candidate{on("lo", "127.0.0.1", up), on("lo", "::1", up)}
	docker := []candidate{on("docker0", "172.17.0.1", up), on("veth1", "fe80::1", up)}
	for i, c := range []struct {
		found     []candidate
		preferred []netip.Addr
		want      string
	}{
		{lo, nil, "[127.0.0.1 ::1]"},
		{slices.Concat(lo, docker), nil, "[172.17.0.1]"},
		{slices.Concat(lo, docker, []candidate{
			on("wlan0", "10.0.0.7", up), on("eth0", "fe80::5", up), on("eth0", "192.168.1.5", up),
			on("eth0", "2001:db8::5", up), on("eth0", "2001:db8::6", up), on("eth0", "fd00::5", up),
			on("tun0", "10.8.0.2", tun), on("eth1", "198.51.100.1", up),
		}), addrs("192.168.1.5", "2001:db8::6"), "[192.168.1.5 10.0.0.7 198.51.100.1 2001:db8::6 fd00::5 10.8.0.2]"},
		{[]candidate{on("eth0", "169.254.3.4", up), on("lo", "127.0.0.1", up)}, nil, "[169.254.3.4]"},
		{nil, nil, "[]"},
	} {
		if got := fmt.Sprint(ranked(slices.Clone(c.found), c.preferred)); got != c.want {
			t.Errorf("%d: %s, want %s", i, got, c.want)
		}
	}
	if got := Addresses(); len(got) > mostAddresses {
		t.Errorf("this machine has %v", got)
	}
}

// What comes from the network may be anything.
func FuzzMessages(f *testing.F) {
	self, err := newIdentity("lab-1", "0badcafe", 9999)
	if err != nil {
		f.Fatal(err)
	}
	here := addrs("192.168.1.5", "fe80::5")
	f.Add(query(7, true))
	f.Add(self.unasked(here, time.Minute))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, ok := readQuery(b); ok {
			if len(q.questions) > mostQuestions {
				t.Errorf("%d questions", len(q.questions))
			}
			self.answer(q, here, true)
		}
		if n := len(readAnswer(b)); n > mostRecords {
			t.Errorf("%d places", n)
		}
	})
}
