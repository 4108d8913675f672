package cli

import (
	"net/url"
	"strings"
	"testing"

	"orchestra/internal/cli/fetch"
	"orchestra/orch"
)

// FuzzIndex holds that the list of a conductor, whatever is in it, leads to that
// conductor alone, and to names that can be shown and stored.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"host":"x","compositions":[{"name":"a.iso","id":"` + strings.Repeat("ab", 20) + `","path":"/a.iso.orch","size":1}]}`))
	f.Add([]byte(`{"compositions":[{"name":"../a","id":"` + strings.Repeat("ab", 20) + `","path":"//evil/a.orch","size":-1}]}`))
	f.Add([]byte(`{"compositions":[{},{"path":"http://evil/"},{"path":"/%2e%2e/x.orch"}]}`))
	f.Add([]byte(`[]`))
	at, err := url.Parse("http://user:pass@10.0.0.1:9999/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		offers, err := parseIndex(text, at)
		if err != nil {
			return
		}
		for _, o := range offers {
			u, err := url.Parse(o.from[0].url)
			if err != nil || u.Host != at.Host || u.RawQuery != "" || u.Fragment != "" {
				t.Fatalf("an offer leads to %q, %v", o.from[0].url, err)
			}
			if name, err := orch.ReadName(o.Name); err != nil || name != o.Name || o.Size < 0 {
				t.Fatalf("an offer of %q, %d bytes", o.Name, o.Size)
			}
			if strings.Contains(fetch.ShownText(o.from[0].url), "pass@") || strings.Contains(o.json().URLs[0], "pass@") {
				t.Fatal("a password is shown")
			}
		}
	})
}
