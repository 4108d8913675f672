package compose

import "fmt"

// warnShared names files that are one on the disk: hard links, or links that
// were followed to the same. The content carries each of them.
func (t *tree) warnShared(followed bool, warn func(string)) {
	type group struct {
		first, second string
		more          int
	}
	var order []*group
	seen := map[fileID]*group{}
	for _, file := range t.files {
		id, names := identify(file.info)
		if names == 0 || names == 1 && !followed || file.info.Size() == 0 {
			continue
		}
		n := seen[id]
		switch {
		case n == nil:
			seen[id] = &group{first: file.path}
		case n.second == "":
			n.second = file.path
			order = append(order, n)
		default:
			n.more++
		}
	}
	for _, n := range order {
		switch n.more {
		case 0:
			warn(fmt.Sprintf("%s and %s are one file on this disk, and its content is carried twice", n.first, n.second))
		default:
			warn(fmt.Sprintf("%s, %s and %d more are one file on this disk, and its content is carried %d times",
				n.first, n.second, n.more, n.more+2))
		}
	}
}
