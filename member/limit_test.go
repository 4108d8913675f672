package member

import (
	"testing"
	"testing/synctest"
	"time"

	"orchestra/proto"
)

// What many links take together keeps to the limit over ten seconds, and in each of them.
func TestLimitIsSmooth(t *testing.T) {
	for _, limit := range []int64{1 << 10, 20_000, 1 << 20, 40 << 20} {
		synctest.Test(t, func(t *testing.T) {
			l := limiter(limit)
			moved := make(chan int, 100)
			for range 5 {
				go func() {
					for {
						if err := wait(t.Context(), l, portion(l)/2, func() bool { return true }); err != nil {
							return
						}
						select {
						case moved <- portion(l) / 2:
						case <-t.Context().Done():
							return
						}
					}
				}()
			}
			start, total := time.Now(), int64(0)
			second, inSecond := 0, int64(0)
			for n := range moved {
				at := time.Since(start)
				if at >= 10*time.Second {
					break
				}
				if int(at.Seconds()) > second {
					second, inSecond = int(at.Seconds()), 0
				}
				total += int64(n)
				if inSecond += int64(n); inSecond > limit+int64(2*portion(l)) {
					t.Fatalf("limit %d: %d bytes in second %d", limit, inSecond, second)
				}
			}
			// What may pass at once passes once more at the start.
			if want := 10*limit + int64(portion(l)); total > want+want/20 || total < want-want/20 {
				t.Errorf("limit %d: %d bytes in 10 s", limit, total)
			}
		})
	}
}

// A limit lets little pass at once, so that it is kept to within milliseconds, and enough for a
// timer to keep up with it.
func TestLimitPortion(t *testing.T) {
	for limit, want := range map[int64]int{
		1:         leastPortion,
		100_000:   10_000,
		1 << 20:   evenPortion,
		5 << 20:   5 << 20 / 125,
		100 << 20: proto.MaxPiece,
		1 << 62:   proto.MaxPiece,
	} {
		if got := portion(limiter(limit)); got != want {
			t.Errorf("%d bytes a second: %d bytes at once, want %d", limit, got, want)
		}
	}
	if got := portion(limiter(0)); got != proto.MaxPiece {
		t.Errorf("no limit: %d bytes at once", got)
	}
}
