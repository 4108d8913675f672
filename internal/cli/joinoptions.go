package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"orchestra/member"
	"orchestra/member/origin"
	"orchestra/orch"
)

// joinOptions is what join, or get, was told.
type joinOptions struct {
	command  string // the one that it was
	limits   limits
	hook     hook
	progress string
	noInput  bool
	stdout   bool   // the content is written there
	page     string // the address of the page; "": none
	member   member.Config

	conductors, peers, webseeds []string // as they were given
}

const limitUsage = "bytes a second: 40M, 1.5M; 0 or unlimited: none"

// options is the table of join's flags, of which get has all and share some.
func (o *joinOptions) options(p *program) []*option {
	o.progress = "auto"
	m, l := &o.member, &o.limits
	return []*option{
		{
			name: "dir", short: "d", value: "DIR", set: into(&m.Dir, parseText),
			usage: "the folder for the content, the current one by default",
		},
		{
			name: "listen", short: "l", value: "ADDR", set: into(&m.Listen, parseListen(10001)),
			usage: "the address for other members; the first free port from 10001 to 10020, or any",
		},
		{
			name: "advertise", value: "HOST:PORT", set: into(&m.Advertise, parseHostPort),
			usage: "where others reach this member, if it is elsewhere than they see it",
		},
		{
			name: "conductor", value: "HOST:PORT", list: &o.conductors,
			usage: "instead of the .orch file's; may be repeated",
		},
		{
			name: "peer", value: "HOST:PORT", list: &o.peers,
			usage: "a member to connect to; may be repeated",
		},
		{
			name: "webseed", value: "URL", list: &o.webseeds,
			usage: "a copy on a web server (http, https) or in a bucket (s3), beside the .orch " +
				"file's; may be repeated",
		},
		{
			name: "no-webseeds", set: into(&m.NoWebseeds, parseSwitch),
			usage: "do not ask the web servers that the .orch file names",
		},
		{
			name: "exit", short: "e", set: into(&l.exit, parseSwitch),
			usage: "end when the content is complete",
		},
		{
			name: "share-for", value: "DURATION", set: into(&l.shareFor, parseDuration),
			usage: "end so long after the content is complete: 10m, 1h30m",
		},
		{
			name: "ratio", value: "R", set: into(&l.ratio, parseRatio),
			usage: "end when complete, and R times the content was sent",
		},
		{
			name: "until-copies", value: "N", set: into(&l.copies, parseCount),
			usage: "end when complete, and the conductor knows N complete copies, this one and " +
				"those of members that left included",
		},
		{
			name: "name", value: "LABEL", set: into(&m.Name, parseLabel),
			usage: "what orchestra status calls this member, 64 bytes at most; the host's name by " +
				"default",
		},
		{
			name: "stall-timeout", value: "DURATION", set: into(&l.stall, parseDuration),
			usage: "give up when nothing came for so long",
		},
		{
			name: "upload-limit", value: "SIZE", set: into(&m.UploadLimit, parseLimit),
			usage: limitUsage,
		},
		{
			name: "download-limit", value: "SIZE", set: into(&m.DownloadLimit, parseLimit),
			usage: limitUsage,
		},
		{
			name: "only", value: "GLOB", list: &m.Only,
			usage: "of a folder, get only the files that match; may be repeated",
		},
		{
			name: "except", value: "GLOB", list: &m.Except,
			usage: "of a folder, do not get the files that match; may be repeated",
		},
		{
			name: "max-peers", value: "N", set: into(&m.MaxPeers, parseCount),
			usage: "connections to other members at most",
		},
		p.keyFileOption(),
		{
			name: "sequential", set: into(&m.Sequential, parseSwitch),
			usage: "get the parts in order, more or less, for whoever reads the content while it " +
				"comes",
		},
		{
			name: "stdout", set: into(&o.stdout, parseSwitch),
			usage: "write the content to stdout in order as it is verified, besides into --dir; " +
				"implies --sequential",
		},
		{
			name: "on-complete", value: "CMD", set: into(&o.hook.command, parseText),
			usage: "a command for the shell when the content is complete; it finds " + envPath +
				", " + envContentName + " and " + envID,
		},
		{
			name: "on-complete-timeout", value: "DURATION", set: into(&o.hook.timeout, parseDuration),
			usage: "end that command after so long",
		},
		{
			name: "check", set: into(&m.Check, parseSwitch),
			usage: "verify everything that is there, also what was verified before, and only then " +
				"connect to anybody",
		},
		{
			name: "replace", set: into(&m.Replace, parseSwitch),
			usage: "if something else stands under the content's name, move it aside to NAME.old " +
				"when the content is complete",
		},
		{
			name: "repair", set: into(&m.Repair, parseSwitch),
			usage: "get bad parts of the content anew, in place",
		},
		{
			name: "no-times", set: into(&m.NoTimes, parseSwitch),
			usage: "leave files with the time at which they are written here, not the " +
				"composition's",
		},
		{
			name: "progress", value: "auto|bar|plain|none",
			set:   into(&o.progress, oneOf("auto", "bar", "plain", "none")),
			usage: "how progress is shown (auto: a bar on a terminal, else lines)",
		},
		{
			name: "page", value: "ADDR", set: into(&o.page, parseListen(0)),
			usage: "serve a page there that shows what this member does: " +
				"127.0.0.1:0 is any free port of this machine alone",
		},
		{name: "no-input", usage: "read no key", set: into(&o.noInput, parseSwitch)},
	}
}

// settle checks what the flags say together, and makes the member's configuration out of it.
func (o *joinOptions) settle(p *program, c *command) error {
	for _, address := range o.conductors {
		read, err := orch.ReadConductor(address)
		if err != nil {
			return c.mistake("--conductor: %v", err)
		}
		o.member.Conductors = append(o.member.Conductors, read)
	}
	for _, address := range o.peers {
		if _, err := parseHostPort(address); err != nil {
			return c.mistake("--peer: %v", err)
		}
		o.member.Peers = append(o.member.Peers, address)
	}
	for _, address := range o.webseeds {
		if err := origin.CheckURL(address); err != nil {
			return c.mistake("--webseed: %v", err)
		}
	}
	o.member.Webseeds = o.webseeds
	if o.stdout {
		if err := checkPour(p); err != nil {
			return c.mistake("%v", err)
		}
		o.member.Sequential = true
	}
	o.member.AwaitCopies = o.limits.copies
	o.member.Records = p.records()
	return nil
}

// meeting is where the user said that others are.
func (o *joinOptions) meeting() meeting {
	return meeting{o.member.Conductors, o.member.Peers, o.limits.stall}
}

// check says what of the options does not go with the composition.
func (o *joinOptions) check(from source) error {
	f := from.file
	if beside := from.beside(); o.member.Dir == "" && beside != "" {
		return fmt.Errorf("%s is there, and %s would get another one into the current folder "+
			"(--dir . if that is meant); did you mean --dir %s?", beside, o.command, filepath.Dir(beside))
	}
	if o.stdout && f.IsFolder() {
		return fmt.Errorf("%s is a folder, and --stdout writes a single file; leave it out", f.Name)
	}
	all, err := f.Conductors()
	if (err != nil || len(all) == 0) && o.limits.copies > 0 && len(o.member.Conductors) == 0 {
		return errors.New("--until-copies needs a conductor, which counts the copies, " +
			"and the .orch file names none; --conductor does")
	}
	return nil
}
