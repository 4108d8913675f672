package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/rs/zerolog"
)

// madeFolders are the folders under docs/ whose files are all made from the command table.
var madeFolders = []string{"completion", "man"}

// WriteDocuments makes the man pages and the completions anew in the folder docs, and removes those
// that nothing asks for any more.
func WriteDocuments(docs string) error {
	made, err := documents(docs)
	if err != nil {
		return err
	}
	there, err := madeFiles(docs)
	if err != nil {
		return err
	}
	for _, path := range there {
		if made[path] == "" {
			if err := os.Remove(filepath.Join(docs, path)); err != nil {
				return err
			}
		}
	}
	for path, text := range made {
		path = filepath.Join(docs, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// documents makes the text of each file, by its path in docs. The same table gives the same text:
// there is no date in it.
func documents(docs string) (map[string]string, error) {
	scripting, err := os.ReadFile(filepath.Join(docs, "scripting.md"))
	if err != nil {
		return nil, err
	}
	codes, err := exitRows(string(scripting))
	if err != nil {
		return nil, err
	}
	table := newTable(&program{log: zerolog.Nop()}, &rootOptions{})
	made := map[string]string{
		"man/orchestra.1":           programPage(&table, codes),
		"completion/orchestra.bash": bashCompletion(&table),
		"completion/_orchestra":     zshCompletion(&table),
		"completion/orchestra.fish": fishCompletion(&table),
	}
	for _, c := range table.commands {
		made["man/orchestra-"+c.name+".1"] = commandPage(&table, c, codes)
	}
	return made, nil
}

// madeFiles are the paths in docs of the files that were made before, sorted.
func madeFiles(docs string) ([]string, error) {
	var paths []string
	for _, folder := range madeFolders {
		entries, err := os.ReadDir(filepath.Join(docs, folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			paths = append(paths, folder+"/"+e.Name())
		}
	}
	slices.Sort(paths)
	return paths, nil
}
