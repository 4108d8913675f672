package member

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestVerifier lets parts wait for others only while enough of them come.
func TestVerifier(t *testing.T) {
	const within = 100 * time.Millisecond
	now := time.Unix(1000, 0)
	var v *verifier
	part := uint32(0)
	// come lets n parts come one after the other, and gives those that are to be verified.
	come := func(n int, apart time.Duration, missing int) (ready []uint32) {
		for range n {
			now = now.Add(apart)
			ready = append(ready, v.add(part, now, within, missing-int(part))...)
			part++
		}
		return ready
	}
	check := func(when string, got, want []uint32) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	v = newVerifier(4)
	check("slowly", come(8, time.Second, 100), []uint32{0, 1, 2, 3, 4, 5, 6, 7})
	check("fast at first", come(2, time.Millisecond, 100), []uint32{8, 9})
	if v.fast.Load() {
		t.Error("two parts are fast")
	}
	check("fast", come(3, time.Millisecond, 100), nil)
	if !v.fast.Load() {
		t.Error("four parts are not fast")
	}
	check("four together", come(1, time.Millisecond, 100), []uint32{10, 11, 12, 13})
	check("the next ones wait", come(3, time.Millisecond, 100), nil)
	check("too long", v.overdue(), []uint32{14, 15, 16})
	check("none is left", v.overdue(), nil)
	check("slowly again", come(1, time.Second, 100), []uint32{17})
	check("fast again", come(4, time.Millisecond, 100), []uint32{18, 19})
	check("the last one", come(1, time.Millisecond, 25), []uint32{20, 21, 22})

	v = newVerifier(1)
	check("each by itself", come(5, time.Millisecond, 100), []uint32{23, 24, 25, 26, 27})
	if v.fast.Load() {
		t.Error("parts that are verified by themselves are to be hashed while they are written")
	}
}

// TestVerifierIsDue wakes whoever verifies, once nothing more comes or there is a hurry.
func TestVerifierIsDue(t *testing.T) {
	v := newVerifier(2)
	v.hurry()
	v.add(0, time.Now(), time.Hour, 100)
	v.add(1, time.Now(), time.Hour, 100)
	v.add(2, time.Now(), time.Hour, 100)
	select {
	case <-v.due.C:
		t.Error("due although nothing waits")
	default:
	}
	v.add(3, time.Now().Add(time.Millisecond), time.Hour, 100)
	<-v.due.C // soon, since the last two came within a millisecond
	if got := v.overdue(); !slices.Equal(got, []uint32{3}) {
		t.Error(got)
	}
	v.add(4, time.Now().Add(time.Minute), time.Hour, 100)
	v.hurry()
	<-v.due.C
}
