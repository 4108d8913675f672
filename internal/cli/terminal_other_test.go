//go:build !linux && !darwin

package cli

func terminalPrograms() map[string]func() { return nil }
