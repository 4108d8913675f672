//go:build !linux

package store

// syncFolder makes files of a folder durable.
func syncFolder(s *Store, files []int) error { return syncFiles(s, files) }
