//go:build !linux

package disk

import "errors"

// Punch fails: zeros are written.
func (file) Punch(int64, int64) error { return errors.ErrUnsupported }
