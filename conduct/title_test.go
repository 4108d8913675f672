package conduct

import (
	"testing"
	"time"

	"orchestra/proto"
)

// titled lists a member that calls the content something, at an address.
func (s *script) titled(n, at int, title string) link {
	s.t.Helper()
	s.last++
	ann := plain(n)
	ann.Parts = 10
	s.arrives(arrival{
		link: s.last, id: testID, peer: peerN(n), seat: farSeat(at), ann: ann, title: title,
	})
	s.check()
	return s.last
}

func (s *script) wantTitle(want string) {
	s.t.Helper()
	s.now = s.now.Add(surveyEvery)
	if got := s.reg.survey(s.now, testID)[0].about; got.Title != want || got.ID != testID {
		s.t.Errorf("it is called %q, want %q", got.Title, want)
	}
}

// What a composition is called is what most sources called it at one time.
func TestTitles(t *testing.T) {
	type step struct {
		n, at int
		title string // "-": it leaves
		want  string
	}
	for name, steps := range map[string][]step{
		"nobody says":               {{1, 1, "", ""}},
		"one says":                  {{1, 1, "", ""}, {2, 2, "a", "a"}},
		"the first of two":          {{1, 1, "a", "a"}, {2, 2, "b", "a"}},
		"two against one":           {{1, 1, "b", "b"}, {2, 2, "a", "b"}, {3, 3, "a", "a"}},
		"many from one address":     {{1, 1, "a", "a"}, {2, 2, "b", "a"}, {3, 2, "b", "a"}, {4, 2, "b", "a"}},
		"when the others have left": {{1, 1, "a", "a"}, {2, 2, "a", "a"}, {3, 3, "b", "a"}, {1, 1, "-", "a"}, {2, 2, "-", "a"}, {4, 4, "b", "a"}, {5, 5, "b", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, testLimits, 1)
			links := make(map[int]link)
			for _, step := range steps {
				if step.title == "-" {
					s.leave(links[step.n])
				} else {
					links[step.n] = s.titled(step.n, step.at, step.title)
				}
				s.wantTitle(step.want)
			}
		})
	}
}

// A title is remembered with the copies, and asked for as members come, so that
// it is known what most said before they left.
func TestTitleIsRemembered(t *testing.T) {
	s := newScript(t, testLimits, 1)
	var links []link
	for n := range 5 {
		links = append(links, s.titled(n, n, "right"))
		s.now = s.now.Add(time.Second)
	}
	s.has(links[0], 10)
	for _, l := range links {
		s.leave(l)
	}
	s.wantTitle("right")
	for n := range 4 {
		s.titled(10+n, 10+n, "wrong")
	}
	s.wantTitle("right")
	if all := s.reg.survey(s.now, [20]byte{}); len(all) != 1 || all[0].about.Title != "right" {
		t.Errorf("all that is known: %+v", all)
	}
}

// One that was started again is one copy, before its end was noticed too.
func TestEarlierRunsAreNotListed(t *testing.T) {
	s := newScript(t, testLimits, 1)
	ann := plain(1)
	ann.Parts, ann.Have = 10, 4
	place := proto.Named{Place: [8]byte{7}, Label: "first"}
	first := s.named(1, ann, place)
	place.Label, ann.Have = "second", 2
	second := s.named(2, ann, place)
	other := s.parted(3, 5)
	got := s.wantCounts(0, 2, 2)
	if len(got.rows) != 2 || got.rows[0].Label != "second" || got.rows[1].Label != "lab-3" {
		t.Errorf("listed are %+v", got.rows)
	}
	s.has(first, 10) // it was complete when it ended, and the conductor hears so late
	got = s.wantCounts(1, 2, 2)
	s.has(second, 10)
	s.has(other, 10)
	if got = s.wantCounts(2, 2, 0); len(got.rows) != 2 {
		t.Errorf("listed are %+v", got.rows)
	}
	s.leave(second)
	if got = s.wantCounts(2, 2, 0); len(got.rows) != 2 || got.rows[0].Have != 10 {
		t.Errorf("after the second run ended, listed are %+v", got.rows)
	}
}
