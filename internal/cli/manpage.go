package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// An exitRow is a row of the table of exit codes in docs/scripting.md, which is where they are
// explained.
type exitRow struct{ code, meaning string }

// exitRows reads the table of exit codes.
func exitRows(scripting string) ([]exitRow, error) {
	var rows []exitRow
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (.+) \|$`).FindAllStringSubmatch(scripting, -1) {
		rows = append(rows, exitRow{row[1], row[2]})
	}
	if len(rows) == 0 {
		return nil, errors.New("docs/scripting.md has no table of exit codes")
	}
	return rows, nil
}

// programPage is orchestra(1).
func programPage(t *table, codes []exitRow) string {
	var m manual
	m.begin("orchestra", "spread one large file from one host to many")
	m.line(`.B orchestra`, `.I COMMAND`, `.RI [ FLAGS ]`, `.RI [ ARGUMENTS ]`)
	m.section("DESCRIPTION")
	m.paragraph("Orchestra gives one large file to many hosts: everybody who gets it passes it on while it comes in. " +
		"share shares files and says what the others type to get them; get gets them.")
	m.paragraph("What these do in one step is there in parts too: compose describes the file in a small .orch file; conduct keeps the list of who shares it; join gets it, on every host " +
		"that has the .orch file, and shares it.")
	m.paragraph("A program called orchestra-join, a link to orchestra, is orchestra join; so with the other commands.")
	m.section("COMMANDS")
	for _, c := range t.commands {
		m.line(".TP", fmt.Sprintf(`\fBorchestra\-%s\fP(1)`, c.name), sentence(c.usage))
	}
	m.section("OPTIONS")
	m.options(t.root)
	m.paragraph("The following are options of every command too.")
	m.options(t.common)
	m.environment()
	m.exitStatus(codes)
	m.examples("")
	m.seeAlso(t, "orchestra")
	return m.String()
}

// commandPage is the page of one command.
func commandPage(t *table, c *command, codes []exitRow) string {
	var m manual
	m.begin("orchestra-"+c.name, c.usage)
	m.line(`.B orchestra `+literal(c.name), `.RI [ FLAGS ]`, prose(c.arguments))
	m.section("DESCRIPTION")
	m.paragraph(c.description)
	m.section("OPTIONS")
	m.paragraph("Options may stand before and after the arguments; after -- everything is an argument.")
	m.options(c.options)
	if len(c.options) > 0 {
		m.line(".SS Common options")
	}
	m.options(t.common)
	m.environment()
	m.exitStatus(codes)
	m.examples(c.name)
	m.seeAlso(t, "orchestra-"+c.name)
	return m.String()
}

// A manual is a man page in the making, in the man macros that every reader of man pages knows.
type manual struct{ strings.Builder }

func (m *manual) line(lines ...string) {
	for _, l := range lines {
		m.WriteString(l + "\n")
	}
}

func (m *manual) begin(name, usage string) {
	m.line(`.\" Made by make docs: do not edit.`,
		fmt.Sprintf(`.TH %s 1 "" Orchestra "Orchestra Manual"`, literal(strings.ToUpper(name))),
		".SH NAME", literal(name)+` \- `+prose(usage),
		".SH SYNOPSIS")
}

func (m *manual) section(name string) { m.line(".SH " + name) }

// paragraph begins with .PP unless it is the first of its section, where readers warn of one.
func (m *manual) paragraph(text string) {
	done := strings.TrimSuffix(m.String(), "\n")
	if last := done[strings.LastIndex(done, "\n")+1:]; !strings.HasPrefix(last, ".SH") {
		m.line(".PP")
	}
	m.line(prose(text))
}

func (m *manual) options(options []*option) {
	for _, o := range options {
		names := `\fB` + literal("--"+o.name) + `\fP`
		if o.short != "" {
			names = `\fB` + literal("-"+o.short) + `\fP, ` + names
		}
		switch {
		case o.isSwitch():
		case o.bare != "":
			names += ` [\fI` + literal(o.value) + `\fP]`
		default:
			names += ` \fI` + literal(o.value) + `\fP`
		}
		m.line(".TP", names, sentence(o.usage))
	}
}

func (m *manual) environment() {
	m.section("ENVIRONMENT")
	m.paragraph("Each option but --help and --version has a variable: ORCHESTRA_ and the option's name in capitals, with _ for -. " +
		"ORCHESTRA_LOG_FORMAT=json is --log-format json. The command line overrides it. Switches take true or false. " +
		"NO_COLOR and TERM=dumb are obeyed.")
}

func (m *manual) exitStatus(codes []exitRow) {
	m.section("EXIT STATUS")
	for _, row := range codes {
		m.line(".TP", `.B `+row.code, sentence(row.meaning))
	}
}

func (m *manual) examples(command string) {
	if len(examples[command]) == 0 {
		return
	}
	m.section("EXAMPLES")
	for _, e := range examples[command] {
		m.paragraph(sentenceOf(e.what))
		m.line(".RS 4", ".nf", literal(e.line), ".fi", ".RE")
	}
}

func (m *manual) seeAlso(t *table, self string) {
	m.section("SEE ALSO")
	names := []string{"orchestra"}
	for _, c := range t.commands {
		names = append(names, "orchestra-"+c.name)
	}
	var others []string
	for _, name := range names {
		if name != self {
			others = append(others, `\fB`+literal(name)+`\fP(1)`)
		}
	}
	m.line(strings.Join(others, ",\n"))
}

// sentence is sentenceOf for a man page.
func sentence(text string) string { return prose(sentenceOf(text)) }

// sentenceOf makes a row of the help a sentence: a capital first, and a full stop at the end.
func sentenceOf(text string) string {
	if text != "" && text[0] >= 'a' && text[0] <= 'z' {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return strings.TrimSuffix(text, ".") + "."
}

// flagWords are the flags and the `quoted` words in a text, which a page shows in bold.
var flagWords = regexp.MustCompile("(?:^|[ (])(--[a-z][a-z-]*)|`([^`]*)`")

// prose is a text for a man page, in lines that a person can read too.
func prose(text string) string {
	marked := flagWords.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "`") {
			return "\x01" + strings.Trim(found, "`") + "\x02"
		}
		dashes := strings.Index(found, "--")
		return found[:dashes] + "\x01" + found[dashes:] + "\x02"
	})
	return wrapped(strings.NewReplacer("\x01", `\fB`, "\x02", `\fP`).Replace(literal(marked)))
}

// wrapped parts a text into lines of 78 bytes at most, where its words allow it. A line that would
// be obeyed is made harmless.
func wrapped(text string) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > 78 {
			lines = append(lines, line)
			line = ""
		}
		switch {
		case line != "":
			line += " " + word
		case word[0] == '.' || word[0] == '\'':
			line = `\&` + word
		default:
			line = word
		}
	}
	return strings.Join(append(lines, line), "\n")
}

// literal is a text in which a man page's reader finds nothing to obey: as it stands here, its
// dashes too.
func literal(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
