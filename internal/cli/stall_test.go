package cli

import "time"

// stallMost is how long nothing may come to a member where there is any way for it to come.
const stallMost = 15 * time.Second

// longestStall reads until the member is complete, and returns for how long nothing came since a
// time, what it said meanwhile, and whether it is complete in time.
func (p *player) longestStall(since time.Time) (longest time.Duration, says []string, ok bool) {
	moved, got := since, int64(-1)
	deadline := time.After(sceneTime)
	for {
		select {
		case e, ok := <-p.events:
			now := e.at
			switch {
			case !ok:
				return longest, says, false
			case e.Event == "complete": // perhaps before since
				return max(longest, now.Sub(moved)), says, true
			case now.Before(since):
				continue
			case e.Event != "progress":
				continue
			case got < 0:
				got = e.Downloaded
			}
			if e.Downloaded > got {
				longest = max(longest, now.Sub(moved))
				moved, got = now, e.Downloaded
			}
			if e.Waiting != "" && (len(says) == 0 || says[len(says)-1] != e.Waiting) {
				says = append(says, e.Waiting)
			}
		case <-deadline:
			return max(longest, time.Since(moved)), says, false
		}
	}
}
