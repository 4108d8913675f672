package disk

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// RenamesOpen tells that a folder may be renamed while it is open.
const RenamesOpen = false

// OpenLock takes the lock of a folder: a file beside it that goes away with its handle, since
// Windows locks no folder.
func (r root) OpenLock(name string) (File, error) {
	path, err := windows.UTF16PtrFromString(filepath.Join(r.Name(), name+".lock"))
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(path, windows.GENERIC_WRITE, 0, nil, windows.CREATE_NEW,
		windows.FILE_ATTRIBUTE_HIDDEN|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	if errors.Is(err, windows.ERROR_FILE_EXISTS) || errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, ErrHeld
	}
	if err != nil {
		return nil, err
	}
	return file{os.NewFile(uintptr(h), name+".lock")}, nil
}
