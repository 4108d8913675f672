package origin

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// An account is what a bucket is asked with: what the environment has under the names that the
// programs of AWS know, and for what it does not have, what the profile says that AWS_PROFILE
// names. The default profile is not read unless it is named: anybody's .orch file may name a
// bucket, and keys that the user did not mean to use would tell its owner who asks.
type account struct {
	id, secret, token setting
	region, endpoint  setting
}

// A setting is a value, and where the user finds it.
type setting struct {
	value string
	from  string
}

// accountOf reads the account. It is read for each signature, so that keys that another program
// writes anew are used.
func accountOf(env func(string) string) (account, error) {
	first := func(names ...string) setting {
		for _, name := range names {
			if value := env(name); value != "" {
				return setting{value, name}
			}
		}
		return setting{from: names[0]}
	}
	a := account{
		id: first("AWS_ACCESS_KEY_ID"), secret: first("AWS_SECRET_ACCESS_KEY"),
		token:    first("AWS_SESSION_TOKEN"),
		region:   first("AWS_REGION", "AWS_DEFAULT_REGION"),
		endpoint: first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
	}
	if name := first("AWS_PROFILE", "AWS_DEFAULT_PROFILE"); name.value != "" {
		p, err := readProfile(name, env)
		if err == nil {
			err = a.take(name.value, p)
		}
		if err != nil && !a.hasKeys() { // else it is not needed
			return account{}, fmt.Errorf("cannot be asked: %w", err)
		}
	}
	a.region.value = cmp.Or(a.region.value, "us-east-1")
	if len(a.region.value) > mostRegion || strings.Trim(a.region.value, regionLetters) != "" {
		return account{}, errors.New("cannot be asked: " + a.region.from +
			" is no region: one has small letters, digits and - alone")
	}
	return a, nil
}

// What a region is made of: it becomes a piece of a host name.
const (
	regionLetters = letters + "0123456789-"
	mostRegion    = 40
)

// hasKeys reports whether there is something to sign with.
func (a *account) hasKeys() bool { return a.id.value != "" && a.secret.value != "" }

// take fills in from a profile what the environment does not say.
func (a *account) take(name string, p profile) error {
	of := func(key string) setting {
		return setting{p[key], fmt.Sprintf("%s of the profile %q", key, name)}
	}
	if a.region.value == "" {
		a.region = of("region")
	}
	if a.endpoint.value == "" {
		a.endpoint = of("endpoint_url")
	}
	if a.hasKeys() {
		return nil
	}
	a.id, a.secret = of("aws_access_key_id"), of("aws_secret_access_key")
	a.token = of("aws_session_token")
	if a.hasKeys() {
		return nil
	}
	for _, other := range []string{
		"sso_session", "sso_start_url", "role_arn", "credential_process", "login_session",
	} {
		if p[other] != "" {
			return fmt.Errorf("the profile %q has its keys from elsewhere (%s); what "+
				"'aws configure export-credentials --format env' prints puts them into the environment",
				name, other)
		}
	}
	return fmt.Errorf("the profile %q has no aws_access_key_id and aws_secret_access_key", name)
}
