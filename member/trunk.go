package member

type trunks struct{}

func (t *trunks) wait() {}
