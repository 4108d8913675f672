package swarm

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestRarityAgainstModel holds the buckets against a plain list of counts.
func TestRarityAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.IntRange(1, 200).Draw(t, "parts")
		r := newRarity(parts)
		count, free := make([]int, parts), make([]bool, parts)
		part := rapid.IntRange(0, parts-1)
		for range rapid.IntRange(0, 300).Draw(t, "steps") {
			p := part.Draw(t, "part")
			switch rapid.SampledFrom([]string{"add", "remove", "inc", "dec"}).Draw(t, "what") {
			case "add":
				r.add(uint32(p))
				free[p] = true
			case "remove":
				r.remove(uint32(p))
				free[p] = false
			case "inc":
				r.inc(uint32(p))
				count[p]++
			case "dec":
				if count[p] > 0 {
					r.dec(uint32(p))
					count[p]--
				}
			}
		}
		var want []uint32
		for p := range parts {
			if free[p] {
				want = append(want, uint32(p))
			}
			if r.free.has(uint32(p)) != free[p] || int(r.count[p]) != count[p] {
				t.Fatalf("part %d: free %v count %d, want %v %d", p, r.free.has(uint32(p)), r.count[p], free[p], count[p])
			}
		}
		if got := slices.Sorted(slices.Values(r.order)); !slices.Equal(got, want) {
			t.Fatalf("free parts %v, want %v", got, want)
		}
		if !slices.IsSortedFunc(r.order, func(a, b uint32) int { return count[a] - count[b] }) {
			t.Fatal("not sorted by count")
		}
		for at, p := range r.order {
			if r.place[p] != int32(at) {
				t.Fatalf("part %d stands at %d, not at %d", p, at, r.place[p])
			}
		}
		// What a peer is asked for is the rarest of what it has.
		peer := newBitmap(parts)
		least := -1
		for _, p := range want {
			if rapid.Bool().Draw(t, "has") {
				peer.set(p)
				if least < 0 || count[p] < least {
					least = count[p]
				}
			}
		}
		got, ok := r.pick(peer, false, rand.New(rand.NewPCG(1, 2)))
		if ok != (least >= 0) {
			t.Fatalf("picked %v, with rarest count %d", ok, least)
		}
		if ok && (count[got] != least || !peer.has(got) || !free[got]) {
			t.Fatalf("picked part %d of count %d, want count %d", got, count[got], least)
		}
	})
}

// TestPickBeyondTheProbes finds the one part that a peer has among many rarer ones.
func TestPickBeyondTheProbes(t *testing.T) {
	const parts = 10_000
	r := newRarity(parts)
	for p := range uint32(parts) {
		r.add(p)
	}
	peer := newBitmap(parts)
	peer.set(7777)
	r.inc(7777)
	if got, ok := r.pick(peer, false, rand.New(rand.NewPCG(1, 2))); !ok || got != 7777 {
		t.Errorf("picked %d %v, want 7777", got, ok)
	}
}
