package cli

import (
	"os"
	"syscall"
	"testing"
)

// wantSparse checks that a copy takes little more room than the original, if that has holes.
func wantSparse(t *testing.T, original, copied string) {
	t.Helper()
	var room [2]int64
	for i, path := range []string{original, copied} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if room[i] = info.Sys().(*syscall.Stat_t).Blocks * 512; i == 0 && room[0] > info.Size()/2 {
			return // this file system keeps no holes
		}
	}
	if room[1] > room[0]+1<<20 {
		t.Errorf("the copy takes %d bytes, the original %d", room[1], room[0])
	}
}
