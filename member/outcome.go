package member

import "orchestra/member/store"

// What becomes of the content as a whole: it was checked, and it is complete.

func (d *director) checkDone(err error) {
	d.update(func(p *Progress) { p.Checking = false })
	switch {
	case d.ctx.Err() != nil: // told to end, which is no failure of the check
	case err != nil:
		d.failed = err
	case len(d.bad) == 0:
	case d.good == 0 && !d.store.Partial():
		d.failed = &store.ContentError{Path: d.store.Path(), Reason: "none of its parts is right"}
	default:
		d.setBad(d.bad)
		d.tellLost(d.bad, true, nil)
	}
	var unread []uint32 // parts that could not be read and are left as they are
	if files := d.store.Unreadable(); len(files) > 0 {
		for _, err := range files {
			d.cfg.Log.Warn().Msgf("%v", err)
		}
		for _, part := range d.bad {
			unread = append(unread, uint32(part))
		}
	}
	d.watcher.checkEnded(unread)
	if d.cfg.Check && d.failed == nil {
		d.connect()
	}
}

func (d *director) finished(err error) {
	if err != nil {
		d.failed = err
		return
	}
	if aside := d.store.Aside(); aside != "" {
		d.cfg.Log.Warn().Str("path", d.store.Path()).Str("aside", aside).
			Msg("something else stood under the content's name and was moved aside")
	}
	complete := d.core.Stats().Missing == 0 // else parts were lost meanwhile, and it ends again
	d.update(func(p *Progress) { p.Complete, p.Path = complete, d.store.Path() })
	if !complete || d.told {
		return
	}
	d.told = true
	d.tellLacks()
	close(d.complete)
	if d.cfg.OnComplete != nil {
		d.work.Go(func() { d.cfg.OnComplete(d.store.Path()) })
	}
}

// noJournal tells the user that the next start may take longer, and why.
func (d *director) noJournal(err error) { d.cfg.Log.Warn().Msg(fact(err)) }

// notMoved tells the user of a complete file of a folder that could not be given its name yet.
func (d *director) notMoved(err error) {
	d.cfg.Log.Warn().Msgf("%s; it is tried again", fact(err))
}
