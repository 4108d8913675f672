package store

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// renamesOpen tells that a folder may be renamed while it is open.
const renamesOpen = false

// openLock takes the lock of a folder: a file beside it that goes away with its handle, since
// Windows locks no folder.
func openLock(_ *os.Root, dir, name string) (*os.File, error) {
	path, err := windows.UTF16PtrFromString(filepath.Join(dir, name+".lock"))
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(path, windows.GENERIC_WRITE, 0, nil, windows.CREATE_NEW,
		windows.FILE_ATTRIBUTE_HIDDEN|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	if errors.Is(err, windows.ERROR_FILE_EXISTS) || errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, errHeld
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(h), name+".lock"), nil
}

func (s *Store) lockFolderHere(string) error { return nil }
