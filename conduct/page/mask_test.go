package page

import (
	"encoding/json"
	"regexp"
	"testing"
)

func TestMaskAddr(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"192.168.7.20:10001":             "192.168.•.•",
		"10.1.2.3":                       "10.1.•.•",
		"[::ffff:10.1.2.3]:9":            "10.1.•.•",
		"127.0.0.1:10001":                "this machine",
		"[2001:db8:1:2:3:4:5:6]:10001":   "2001:db8:•",
		"[fe80::1%eth0]:10001":           "fe80:•",
		"somewhere.example.org:10001":    "•",
		"<img src=x onerror=alert(1)>:9": "•",
	} {
		if got := maskAddr(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// Who may see no addresses finds none anywhere in what is sent.
func TestMaskedHasNoAddress(t *testing.T) {
	d := &Detail{
		Members: []Member{{ID: 1, Who: Who{Addr: "192.0.2.77:10001"}, Now: Now{Why: "nobody answers at 192.0.2.77:10001 and [2001:db8::77]:1"}}},
		Events:  []Event{{ID: 1, Addr: "192.0.2.77", Text: "part 3 was bad, says 192.0.2.78"}, {ID: 2, Text: "cut off by 2001:db8::79"}},
	}
	v := View{Base: "http://192.0.2.77:9999", Here: true}
	text, err := json.Marshal([]any{d.masked(), v.masked()})
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`192\.0\.2\.\d+|db8::`).Find(text); found != nil {
		t.Errorf("%q is left in %s", found, text)
	}
	if d.Members[0].Who.Addr != "192.0.2.77:10001" || d.Events[0].Addr != "192.0.2.77" || v.Base == "" {
		t.Error("the others' copy is masked too")
	}
}
