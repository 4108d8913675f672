package member

import (
	"crypto/sha256"
	"net"
	"os"
	"path/filepath"

	"orchestra/proto"
)

// introduce gives the member its name, if it has none, and its place.
func (m *Member) introduce() {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	if m.cfg.Name == "" {
		m.cfg.Name = proto.CutLabel(host)
	}
	m.place = place(host, m.cfg.Dir)
}

// place tells this copy from others: it is the same when a member is started again for the same
// folder of the same host, so that the conductor counts one copy. It is made of the host's name,
// its first network card (images of machines share their names) and the folder, none of which can
// be read from it.
func place(host, dir string) (p [8]byte) {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	h := sha256.New()
	h.Write([]byte(host + "\x00" + dir + "\x00"))
	cards, _ := net.Interfaces() // without any it is the name alone
	for _, card := range cards {
		if len(card.HardwareAddr) > 0 {
			h.Write(card.HardwareAddr)
			break
		}
	}
	copy(p[:], h.Sum(nil))
	return p
}

// greeting is what a member says first on a connection to its conductor, and how far it says it is.
func (c *conductor) greeting() (says []byte, told proto.Progress) {
	told.Have = c.have(c.Progress())
	hello := proto.Handshake{Protocol: proto.Orchestra, ID: c.id, PeerID: c.self}
	hello.SetNames()
	hello.SetTitles()
	b := proto.Append(hello.Append(nil), c.announcement(told))
	b = proto.Append(b, proto.Named{Place: c.place, Label: c.cfg.Name})
	b = proto.Append(b, proto.Titled{Title: c.comp.Name})
	if c.cfg.AwaitCopies > 0 {
		b = proto.Append(b, proto.Await{Copies: uint32(c.cfg.AwaitCopies)})
	}
	return b, told
}

// announcement tells where this member is, and how far.
func (c *conductor) announcement(told proto.Progress) proto.Announce {
	return proto.Announce{
		Key: c.key, Port: c.Member.addr.Port(), Addrs: ownAddrs(c.Member.addr),
		Advertise: advertised(c.cfg.Advertise, c.Member.addr),
		Parts:     uint32(c.comp.NumParts()), Have: told.Have, Want: wanted,
	}
}

// have is how many parts the conductor is told of: all only when the content is complete, since the
// last of them being stored is not enough for those who wait for copies.
func (m *Member) have(p Progress) uint32 {
	if p.Stored == m.comp.NumParts() && !p.Complete && p.Stored > 0 {
		return uint32(p.Stored - 1)
	}
	return uint32(p.Stored)
}

// progressNow is how far the member is, and what it moved in this run.
func (m *Member) progressNow() proto.Progress {
	p := m.Progress()
	return proto.Progress{Have: m.have(p), Uploaded: uint64(p.Uploaded), Downloaded: uint64(p.Downloaded)}
}

// progressNow is how far the member is, and what it moved since the connection began.
func (c *conductor) progressNow() proto.Progress {
	p := c.Member.progressNow()
	p.Uploaded -= c.before.Uploaded
	p.Downloaded -= c.before.Downloaded
	return p
}
