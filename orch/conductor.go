package orch

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// NoConductor stands in line 1 where the file names no conductor there.
const NoConductor = "-"

// Conductors gives the addresses of the conductors, that of line 1 and then
// those of the "conductor" lines, each once, as ReadConductor does. A file that
// was made from a torrent may have none.
func (f *File) Conductors() ([]string, error) {
	var all []string
	if f.Conductor != NoConductor {
		first, err := ReadConductor(f.Conductor)
		if err != nil {
			return nil, &ParseError{Line: lineConductor, Err: err}
		}
		all = append(all, first)
	}
	for i, l := range f.Lines {
		if l.Key != keyConductor {
			continue
		}
		next, err := ReadConductor(l.Value)
		if err != nil {
			return nil, &ParseError{Line: f.lineNumber(i), Err: err}
		}
		if !slices.Contains(all, next) {
			all = append(all, next)
		}
	}
	return all, nil
}

// checkConductor says why s cannot stand in line 1.
func checkConductor(s string) error {
	if s == NoConductor {
		return nil
	}
	_, err := ReadConductor(s)
	return err
}

// ReadConductor turns a conductor's address as people write it into host:port:
// DefaultPort is added where there is none, and brackets where an IPv6 address
// has none.
func ReadConductor(s string) (string, error) {
	host, port := splitHost(s)
	if s == NoConductor {
		return "", fmt.Errorf("expected the conductor as HOST:PORT, found %s, which stands for none", quote(s))
	}
	if port == "" {
		port = strconv.Itoa(DefaultPort)
	}
	n, err := parseNumber(port)
	if err != nil || n < 1 || n > 65535 {
		return "", fmt.Errorf("expected the conductor as HOST:PORT with a port from 1 to 65535, found %s", quote(s))
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.String()
		if zone := addr.Zone(); zone != "" && checkHost(zone) != nil {
			return "", fmt.Errorf("expected the conductor as HOST:PORT, found %s: the zone is no name", quote(s))
		}
	} else if err := checkHost(host); err != nil {
		return "", fmt.Errorf("expected the conductor as HOST:PORT, found %s: %w", quote(s), err)
	}
	return net.JoinHostPort(host, port), nil
}

// splitHost cuts s in a host without brackets and a port, empty if there is
// none. A host with a bracket left in it is one that checkHost refuses.
func splitHost(s string) (host, port string) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		host, after, ok := strings.Cut(inner, "]")
		if addr, err := netip.ParseAddr(host); !ok || err != nil || !addr.Is6() {
			return s, ""
		}
		if after == "" {
			return host, ""
		}
		if port, ok := strings.CutPrefix(after, ":"); ok && port != "" {
			return host, port
		}
		return s, ""
	}
	if strings.Count(s, ":") != 1 {
		return s, ""
	}
	host, port, _ = strings.Cut(s, ":")
	if port == "" {
		return s, ""
	}
	return host, port
}

// checkHost says why s, which is no IP address, cannot be a host name either.
func checkHost(s string) error {
	const longest = 253 // RFC 1035, section 2.3.4, without the last dot
	switch {
	case s == "":
		return errors.New("the host is missing")
	case len(s) > longest:
		return fmt.Errorf("a host name has at most %d bytes", longest)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r)
	}):
		return errors.New("blanks and invisible characters cannot stand in it")
	case strings.ContainsAny(s, `/\:[]@?#%`):
		return errors.New(`an address has no scheme, user or path, and IPv6 stands in brackets`)
	}
	return nil
}
