package compose

import (
	"errors"
	"os"
	"testing"
	"time"
)

// TestChanged does to the file what others may do, between its first look at
// the file and the first byte: that is when Progress is told 0.
func TestChanged(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"grown":   func(path string) error { return os.Truncate(path, 200_001) },
		"cut":     func(path string) error { return os.Truncate(path, 199_999) },
		"emptied": func(path string) error { return os.Truncate(path, 0) },
		"written": func(path string) error {
			return os.Chtimes(path, time.Time{}, time.Now().Add(time.Second))
		},
		"removed": os.Remove,
		"replaced by a copy of the same time": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path+"2", random(200_000), 0o600); err != nil {
				return err
			}
			if err := os.Chtimes(path+"2", info.ModTime(), info.ModTime()); err != nil {
				return err
			}
			return os.Rename(path+"2", path)
		},
	} {
		for _, partSize := range []int64{1000, 1 << 20} {
			path := fileOf(t, random(200_000))
			_, err := Compose(t.Context(), Config{Path: path, PartSize: partSize, Progress: func(done, _ int64) {
				if done > 0 {
					return
				}
				if err := change(path); err != nil {
					t.Fatal(err)
				}
			}})
			if !errors.Is(err, ErrChanged) {
				t.Errorf("%s, parts of %d: Compose = %v, want ErrChanged", name, partSize, err)
			}
		}
	}
}

func TestReadIsNoChange(t *testing.T) {
	path := fileOf(t, random(200_000))
	_, err := Compose(t.Context(), Config{Path: path, Progress: func(int64, int64) {
		if _, err := os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}})
	if err != nil {
		t.Errorf("Compose = %v", err)
	}
}
