package page

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// addressLike is what may be an address within a text. It matches too much rather than too little.
var addressLike = regexp.MustCompile(`\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,}(?:%\w+)?`)

// maskAddr leaves of an address what tells networks apart, but not hosts: 10.77.1.2:9 becomes
// 10.77.•.•.
func maskAddr(s string) string {
	if s == "" {
		return ""
	}
	host := s
	if ap, err := netip.ParseAddrPort(s); err == nil {
		host = ap.Addr().String()
	}
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return "•"
	case a.IsLoopback():
		return "this machine"
	case a.Unmap().Is4():
		b := strings.Split(a.Unmap().String(), ".")
		return b[0] + "." + b[1] + ".•.•"
	}
	p, _ := a.Prefix(32)
	return strings.TrimSuffix(p.Masked().Addr().WithZone("").String(), "::") + ":•"
}

// maskText takes the addresses out of a text.
func maskText(s string) string { return addressLike.ReplaceAllString(s, "•") }

// masked is a view for those who are not to see addresses. Its details are masked one by one.
func (v *View) masked() *View {
	m := *v
	m.Base = ""
	return &m
}

// masked is a detail for those who are not to see addresses.
func (d *Detail) masked() *Detail {
	m := *d
	m.Members = slices.Clone(d.Members)
	for i := range m.Members {
		row := &m.Members[i]
		row.Who.Addr = maskAddr(row.Who.Addr)
		row.Now.Why = maskText(row.Now.Why)
	}
	m.Events = slices.Clone(d.Events)
	for i := range m.Events {
		e := &m.Events[i]
		e.Addr, e.Text = maskAddr(e.Addr), maskText(e.Text)
	}
	return &m
}
