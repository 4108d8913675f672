//go:build !linux

package disk

import "errors"

// SyncsAll is unknown here.
func (file) SyncsAll() bool { return false }

// SyncAll cannot be done here.
func (file) SyncAll() error { return errors.ErrUnsupported }
