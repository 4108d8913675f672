package cli

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLibraryDoc holds the names in docs/library.md against what the packages export.
func TestLibraryDoc(t *testing.T) {
	text, err := os.ReadFile("../../docs/library.md")
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]map[string]bool{
		"orch": exported(t, "orch"), "compose": exported(t, "compose"), "conduct": exported(t, "conduct"),
		"member": exported(t, "member"), "store": exported(t, "member/store"),
	}
	found := map[string]bool{}
	for _, name := range regexp.MustCompile(`\b(orch|compose|conduct|member|store)\.([A-Z]\w*)`).FindAllStringSubmatch(string(text), -1) {
		if found[name[0]] = true; !packages[name[1]][name[2]] {
			t.Errorf("docs/library.md names %s, which is not there", name[0])
		}
	}
	for room, names := range packages {
		for name := range names {
			if strings.HasPrefix(name, "Err") || strings.HasSuffix(name, "Error") {
				if !found[room+"."+name] {
					t.Errorf("docs/library.md does not name %s.%s", room, name)
				}
			}
		}
	}
}

// exported are the names that a package exports at its top.
func exported(t *testing.T, room string) map[string]bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../..", room, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	p, err := doc.NewFromFiles(set, files, "orchestra/"+room)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	functions := p.Funcs
	values := append(p.Vars, p.Consts...)
	for _, typ := range p.Types {
		names[typ.Name] = true
		functions = append(functions, typ.Funcs...)
		values = append(append(values, typ.Vars...), typ.Consts...)
	}
	for _, f := range functions {
		names[f.Name] = true
	}
	for _, v := range values {
		for _, name := range v.Names {
			names[name] = true
		}
	}
	return names
}
