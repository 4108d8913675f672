package lan

import (
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	unicastBit    = 1 << 15 // of a question's class: an answer to the asker alone will do
	mostQuestions = 16
	mostRecords   = 256
)

// asks is what of a message is a question for this service.
type asks struct {
	id        uint16
	questions []dnsmessage.Question // that were understood, the first ones
	unicast   bool                  // all of them may be answered to the asker alone
}

// readQuery reads a query; ok is false for anything else.
func readQuery(b []byte) (q asks, ok bool) {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil || h.Response || h.OpCode != 0 || h.RCode != 0 {
		return q, false
	}
	q.id, q.unicast = h.ID, true
	for range mostQuestions {
		question, err := p.Question()
		if err != nil {
			break
		}
		q.unicast = q.unicast && question.Class&unicastBit != 0
		question.Class &^= unicastBit
		q.questions = append(q.questions, question)
	}
	return q, len(q.questions) > 0
}

// query is the question for this service.
func query(id uint16, unicast bool) []byte {
	class := dnsmessage.ClassINET
	if unicast {
		class |= unicastBit
	}
	m := dnsmessage.Message{
		Header: dnsmessage.Header{ID: id},
		Questions: []dnsmessage.Question{{
			Name: dnsmessage.MustNewName(serviceName), Type: dnsmessage.TypePTR, Class: class,
		}},
	}
	b, err := m.Pack()
	if err != nil {
		return nil // it is the same each time, and the tests have seen it
	}
	return b
}

// An identity is how a conductor is called in the messages of one process.
type identity struct {
	instance, host dnsmessage.Name
	port           uint16
}

// mostLabel is how long a part of a name may be.
const mostLabel = 63

// newIdentity makes names out of a host's name, for people who look at the network with other
// programs, and of a tag that nobody else has, so that no two are called the same.
func newIdentity(hostname, tag string, port uint16) (identity, error) {
	short, _, _ := strings.Cut(hostname, ".")
	clean := strings.Map(func(r rune) rune {
		if r < 0x80 && strings.ContainsRune(hostLetters, r) {
			return r
		}
		return -1
	}, short)
	who := "orchestra-" + tag
	label := who
	if clean != "" {
		label = clean[:min(len(clean), mostLabel-1-len(who))] + " " + who
	}
	instance, err := dnsmessage.NewName(label + "." + serviceName)
	if err != nil {
		return identity{}, err
	}
	host, err := dnsmessage.NewName(who + ".local.")
	return identity{instance, host, port}, err
}

const hostLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// answer makes the message that answers questions, with the addresses of one network; nil if it is
// not asked for anything that this conductor knows. To one that asks once the questions are
// repeated.
func (i *identity) answer(q asks, addrs []netip.Addr, once bool) []byte {
	ttl := memoryTTL
	if once {
		ttl = onceTTL
	}
	r := i.records(addrs, ttl)
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}}
	if once {
		m.ID, m.Questions = q.id, q.questions
	}
	for _, question := range q.questions {
		if question.Class != dnsmessage.ClassINET && question.Class != dnsmessage.ClassANY {
			continue
		}
		for _, record := range r {
			h := record.Header
			if strings.EqualFold(h.Name.String(), question.Name.String()) &&
				(question.Type == h.Type || question.Type == dnsmessage.TypeALL) {
				m.Answers = append(m.Answers, record)
			}
		}
	}
	if len(m.Answers) == 0 {
		return nil
	}
	m.Additionals = r[1:] // whoever asks for one of them needs the others
	b, err := m.Pack()
	if err != nil {
		return nil // no name is longer than newIdentity makes them
	}
	return b
}

// unasked is what all hear when a conductor comes, and, with no time to remember it for, when it
// goes.
func (i *identity) unasked(addrs []netip.Addr, ttl time.Duration) []byte {
	m := dnsmessage.Message{
		Header:  dnsmessage.Header{Response: true, Authoritative: true},
		Answers: i.records(addrs, ttl)[1:],
	}
	b, err := m.Pack()
	if err != nil {
		return nil
	}
	return b
}

// records are all that a conductor answers with; the first says that there are such conductors.
func (i *identity) records(addrs []netip.Addr, ttl time.Duration) []dnsmessage.Resource {
	header := func(name dnsmessage.Name, kind dnsmessage.Type) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{
			Name: name, Type: kind, Class: dnsmessage.ClassINET, TTL: uint32(ttl.Seconds()),
		}
	}
	var out []dnsmessage.Resource
	add := func(name dnsmessage.Name, kind dnsmessage.Type, body dnsmessage.ResourceBody) {
		out = append(out, dnsmessage.Resource{Header: header(name, kind), Body: body})
	}
	service, list := dnsmessage.MustNewName(serviceName), dnsmessage.MustNewName(listName)
	add(list, dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: service})
	add(service, dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: i.instance})
	add(i.instance, dnsmessage.TypeSRV, &dnsmessage.SRVResource{Port: i.port, Target: i.host})
	add(i.instance, dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: []string{"txtvers=1"}})
	for _, a := range addrs {
		if a.Is4() {
			add(i.host, dnsmessage.TypeA, &dnsmessage.AResource{A: a.As4()})
		} else {
			add(i.host, dnsmessage.TypeAAAA, &dnsmessage.AAAAResource{AAAA: a.As16()})
		}
	}
	return out
}

// A place is where a conductor is said to be: its name in messages, and where it listens.
type place struct {
	instance string
	at       []netip.AddrPort
}

// readAnswer reads where conductors are said to be, in a message of the network.
func readAnswer(b []byte) []place {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil || !h.Response || h.RCode != 0 || p.SkipAllQuestions() != nil {
		return nil
	}
	r := records{services: map[string]service{}, hosts: map[string][]netip.Addr{}}
	if r.read(&p, p.AnswerHeader, p.SkipAnswer) && p.SkipAllAuthorities() == nil {
		r.read(&p, p.AdditionalHeader, p.SkipAdditional)
	}
	var out []place
	for instance, s := range r.services {
		var at []netip.AddrPort
		for _, a := range r.hosts[s.host] {
			at = append(at, netip.AddrPortFrom(a, s.port))
		}
		if s.port != 0 && len(at) > 0 {
			out = append(out, place{instance, at})
		}
	}
	return out
}

// A service is what a record says of where one is.
type service struct {
	host string
	port uint16
}

// records gathers what one message says. Names are compared in lower case.
type records struct {
	seen     int // of the records
	services map[string]service
	hosts    map[string][]netip.Addr
}

// read reads the records of a section and reports whether it came to its end.
func (r *records) read(
	p *dnsmessage.Parser, next func() (dnsmessage.ResourceHeader, error), skip func() error,
) bool {
	for ; r.seen < mostRecords; r.seen++ {
		h, err := next()
		if err != nil {
			return err == dnsmessage.ErrSectionDone
		}
		name := strings.ToLower(h.Name.String())
		switch {
		case h.TTL == 0: // it goes
			err = skip()
		case h.Type == dnsmessage.TypeSRV && strings.HasSuffix(name, "."+serviceName):
			var srv dnsmessage.SRVResource
			if srv, err = p.SRVResource(); err == nil {
				r.services[name] = service{strings.ToLower(srv.Target.String()), srv.Port}
			}
		case h.Type == dnsmessage.TypeA:
			var a dnsmessage.AResource
			if a, err = p.AResource(); err == nil {
				r.hosts[name] = append(r.hosts[name], netip.AddrFrom4(a.A))
			}
		case h.Type == dnsmessage.TypeAAAA:
			var a dnsmessage.AAAAResource
			if a, err = p.AAAAResource(); err == nil {
				r.hosts[name] = append(r.hosts[name], netip.AddrFrom16(a.AAAA).Unmap())
			}
		default:
			err = skip()
		}
		if err != nil {
			return false
		}
	}
	return false
}
