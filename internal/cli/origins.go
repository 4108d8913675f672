package cli

import (
	"fmt"
	"strings"
	"time"

	"orchestra/member"
)

// What is shown of the web servers that a member may ask.

// An originEvent is a web server in the progress and end events of join --json.
type originEvent struct {
	Name       string  `json:"name"`       // its host, or s3://BUCKET
	Downloaded int64   `json:"downloaded"` // bytes from it, in this run
	Trouble    string  `json:"trouble"`    // why it is not asked, or sends nothing
	Retry      float64 `json:"retry"`      // seconds until it is asked again; 0: it may be now
}

func originEvents(now time.Time, origins []member.Origin) []originEvent {
	all := []originEvent{}
	for _, o := range origins {
		all = append(all, originEvent{
			Name: o.Name, Downloaded: o.Received, Trouble: o.Trouble,
			Retry: max(o.Again.Sub(now), 0).Seconds(),
		})
	}
	return all
}

// fromOrigins is how much came from web servers.
func fromOrigins(origins []member.Origin) (bytes int64) {
	for _, o := range origins {
		bytes += o.Received
	}
	return bytes
}

// fromWeb is what came from web servers in words, and how fast; empty if nothing did.
func (v *view) fromWeb() string {
	var names []string
	for _, o := range v.Origins {
		if o.Received > 0 {
			names = append(names, o.Name)
		}
	}
	text := bytesText(fromOrigins(v.Origins))
	if v.web != nil && v.web.rate() > 0 && !v.settled() {
		text += " at " + rateText(v.web)
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return text + " from the web server " + names[0]
	}
	return fmt.Sprintf("%s from %d web servers", text, len(names))
}

// webTrouble says which web servers are left alone for now, and why; empty if none is, or if
// nothing is to come any more.
func (v *view) webTrouble(now time.Time) string {
	if v.settled() {
		return ""
	}
	var all []string
	for _, o := range v.Origins {
		if o.Again.After(now) {
			all = append(all, o.Text(now))
		}
	}
	return strings.Join(all, "; ")
}

// addOrigins adds up what came from web servers by their names.
func addOrigins(sum, origins []member.Origin) []member.Origin {
	for _, o := range origins {
		found := false
		for i := range sum {
			if found = sum[i].Name == o.Name; found {
				sum[i].Received += o.Received
				if o.Trouble != "" {
					sum[i].Trouble, sum[i].Again = o.Trouble, o.Again
				}
				break
			}
		}
		if !found {
			sum = append(sum, o)
		}
	}
	return sum
}
