package cli

import (
	"encoding/hex"
	"fmt"
	"strings"

	"orchestra/orch"
)

// A description is what an .orch file says, in the form of --json (docs/scripting.md).
type description struct {
	Path       string   `json:"path"` // of the .orch file
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Size       int64    `json:"size"`      // bytes
	PartSize   int64    `json:"part_size"` // bytes
	Parts      int      `json:"parts"`
	Hash       string   `json:"hash"`
	Checksum   string   `json:"checksum"`   // hex; "": not known
	Conductors []string `json:"conductors"` // HOST:PORT
	Private    string   `json:"private"`    // what tells the swarm's key apart; empty: it is open
	// Tiers of BitTorrent trackers, and copies on servers: URLs.
	Trackers [][]string `json:"trackers,omitempty"`
	Webseeds []string   `json:"webseeds,omitempty"`
	Comment  string     `json:"comment"` // several are joined by line ends
	Folder   bool       `json:"folder"`
	Modified string     `json:"modified,omitempty"` // of a single file: RFC 3339, in UTC
	// Of a folder alone, and by show alone.
	Files   []fileDescription `json:"files,omitempty"`
	Folders []string          `json:"folders,omitempty"` // the empty ones
	Links   []linkDescription `json:"links,omitempty"`
}

func describe(f *orch.File) (description, error) {
	conductors, err := f.Conductors()
	if err != nil {
		return description{}, withCode(exitInput, err)
	}
	if conductors == nil {
		conductors = []string{}
	}
	return description{
		ID: f.ID().String(), Name: f.Name, Size: f.Size, PartSize: f.PartSize, Parts: f.NumParts(),
		Hash: f.Hash().String(), Checksum: hex.EncodeToString(f.Checksum), Conductors: conductors,
		Trackers: f.Trackers(), Webseeds: f.Webseeds(),
		Comment: strings.Join(comments(f), "\n"), Folder: f.IsFolder(), Private: f.Private(),
		Modified: momentText(f.ModTime()),
	}, nil
}

func comments(f *orch.File) []string {
	var all []string
	for _, l := range f.Lines {
		if l.Key == "comment" {
			all = append(all, l.Value)
		}
	}
	return all
}

// checksumText is the checksum of the whole, for people.
func (d *description) checksumText() string {
	if d.Checksum == "" {
		return "of the whole: unknown; the parts have theirs"
	}
	return d.Checksum
}

// partsText is the number of parts and their size, for people.
func (d *description) partsText() string {
	switch d.Parts {
	case 0:
		return "none: it is empty"
	case 1:
		return "1"
	}
	return fmt.Sprintf("%s of %s", grouped(int64(d.Parts)), bytesText(d.PartSize))
}
