//go:build linux || darwin

package disk

// RenamesOpen tells that a folder may be renamed while it is open.
const RenamesOpen = true

func (r root) OpenLock(name string) (File, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	if err := f.Lock(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
