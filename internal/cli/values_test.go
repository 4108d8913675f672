package cli

import (
	"math"
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "65536": 65536, "16K": 16 << 10, "16k": 16 << 10, "1MiB": 1 << 20, "40M": 40 << 20, "2GB": 2 << 30, "1T": 1 << 40,
		"512B": 512, "1.5M": 3 << 19, "0.5k": 512, "2.25GiB": 9 << 28, "1.3M": 1363148, "8388607.999999999T": math.MaxInt64 - 1<<40/1_000_000_000, "9223372036854775807": math.MaxInt64,
		"": -1, "0": -1, "0K": -1, "-1": -1, "K": -1, "1.5": -1, "1.M": -1, ".5M": -1, "1.-5M": -1, "1.0000000001G": -1, "0.0001K": -1, "0.0M": -1, "16X": -1, "1 M": -1, "MM": -1, "1KK": -1, "9223372036854775808": -1,
		"8388608T": -1, "+1": -1, "1iB": -1,
	} {
		got, err := parseSize(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("parseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "unlimited": 0, "Unlimited": 0, "1.5M": 3 << 19, "40M": 40 << 20, "": -1, "0M": -1, "none": -1, "-1": -1,
	} {
		got, err := parseLimit(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("parseLimit(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseListen(t *testing.T) {
	for text, want := range map[string]string{
		":9999": ":9999", "9998": ":9998", "192.168.1.1": "192.168.1.1:77", "192.168.1.1:0": "192.168.1.1:0", "[::1]:1": "[::1]:1",
		"::1": "[::1]:77", "[::1]": "[::1]:77", "host": "host:77",
		"": "", ":": "", ":65536": "", ":-1": "", "a:b:c": "", ":0x1": "", "70000": "",
	} {
		got, err := parseListen(77)(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("parseListen(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	names := []string{"compose", "conduct", "join", "verify", "show", "part-size"}
	for typed, want := range map[string]string{
		"jion": "join", "joni": "join", "compse": "compose", "verifiy": "verify", "partsize": "part-size", "part": "part-size", "JOIN": "join",
		"seed": "", "x": "", "": "", "download": "",
	} {
		if want != "" {
			want = "; did you mean " + want + "?"
		}
		if got := didYouMean("", typed, names); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1 MiB", 1 << 20: "1 MiB", 5<<30 + 1<<29: "5.5 GiB", math.MaxInt64: "8 EiB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[float64]string{
		0: "0 B", 999: "999 B", 999.6: "0.98 KiB", 1000: "0.98 KiB", 1024: "1.00 KiB", 10 << 10: "10.0 KiB", 10230: "9.99 KiB",
		999 << 10: "999 KiB", 1000 << 10: "0.98 MiB", 1 << 62: "4.00 EiB", math.MaxInt64: "8.00 EiB",
	} {
		if got := figureText(n); got != want {
			t.Errorf("figureText(%v) = %q, want %q", n, got, want)
		}
	}
	for _, tt := range []struct {
		parts []int
		want  string
	}{
		{[]int{17}, "part 17 of music does not verify; join --repair gets it anew"},
		{[]int{3, 7, 8, 9, 40}, "5 parts (3, 7-9, 40) of music do not verify; join --repair gets them anew"},
	} {
		if got := badPartsText(tt.parts, "music"); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.parts, got, tt.want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0.0 s", 1500 * time.Millisecond: "1.5 s", 59 * time.Second: "59 s", 61 * time.Second: "1m01s", 2*time.Hour + 7*time.Minute: "2h07m", 100 * time.Hour: "4 days",
	} {
		if got := timeText(d); got != want {
			t.Errorf("timeText(%v) = %q, want %q", d, got, want)
		}
	}
}
