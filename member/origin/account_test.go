package origin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const exampleCredentials = `# keys
[default]
aws_access_key_id = DEFAULT
aws_secret_access_key = default+secret

[studio]
AWS_ACCESS_KEY_ID=STUDIO   # of the studio
aws_secret_access_key = studio/secret=
s3 =
  aws_access_key_id = nested
aws_session_token=token

[half]
aws_access_key_id = HALF

[odd]
aws_access_key_id = ODD
aws_secret_access_key = s
region = evil.example/
`

const exampleConfig = "\ufeff[profile studio]\r\nregion = eu-west-1\r\naws_access_key_id = LATER\r\n" +
	"endpoint_url = http://minio:9000\r\n[profile \"with blanks\"]\nrole_arn = arn:aws:iam::1:role/r\n" +
	"[sso]\naws_access_key_id = NONE\n[profile named]\ncredential_process = /bin/false\n"

// accountTest is an environment with files of profiles.
func accountTest(t *testing.T, pairs ...string) func(string) string {
	t.Helper()
	home := t.TempDir()
	for name, text := range map[string]string{
		"credentials": exampleCredentials, "config": exampleConfig,
	} {
		path := filepath.Join(home, ".aws", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"HOME": home}
	for i := 0; i < len(pairs); i += 2 {
		env[pairs[i]] = strings.ReplaceAll(pairs[i+1], "HOME", home)
	}
	return func(name string) string { return env[name] }
}

func TestAccount(t *testing.T) {
	type values [5]string // the id, the secret, the token, the region, the endpoint
	for name, test := range map[string]struct {
		env  []string
		want values
	}{
		"nothing is said": {nil, values{3: "us-east-1"}},
		"a profile": {
			[]string{"AWS_PROFILE", "studio"},
			values{"STUDIO", "studio/secret=", "token", "eu-west-1", "http://minio:9000"},
		},
		"the older name": {
			[]string{"AWS_DEFAULT_PROFILE", "default"},
			values{"DEFAULT", "default+secret", "", "us-east-1", ""},
		},
		"the environment goes before": {
			[]string{
				"AWS_PROFILE", "studio", "AWS_REGION", "cn-north-1", "AWS_ENDPOINT_URL", "http://s3",
				"AWS_ACCESS_KEY_ID", "ENV", "AWS_SECRET_ACCESS_KEY", "secret",
			},
			values{"ENV", "secret", "", "cn-north-1", "http://s3"},
		},
		"a key alone is none": {
			[]string{"AWS_PROFILE", "default", "AWS_ACCESS_KEY_ID", "ENV", "AWS_SESSION_TOKEN", "t"},
			values{"DEFAULT", "default+secret", "", "us-east-1", ""},
		},
		"a profile that is not needed": {
			[]string{
				"AWS_PROFILE", "nobody", "AWS_ACCESS_KEY_ID", "ENV", "AWS_SECRET_ACCESS_KEY", "secret",
			},
			values{"ENV", "secret", "", "us-east-1", ""},
		},
		"files elsewhere": {
			[]string{
				"AWS_PROFILE", "studio", "AWS_CONFIG_FILE", "~/.aws/credentials",
				"AWS_SHARED_CREDENTIALS_FILE", "HOME/.aws/none", "AWS_SHARED_CREDENTIALS_FILE",
				"HOME/.aws/credentials",
			},
			values{"STUDIO", "studio/secret=", "token", "us-east-1", ""},
		},
	} {
		a, err := accountOf(accountTest(t, test.env...))
		got := values{a.id.value, a.secret.value, a.token.value, a.region.value, a.endpoint.value}
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, test.want)
		}
	}
}

func TestAccountRefuses(t *testing.T) {
	for want, env := range map[string][]string{
		`AWS_PROFILE says "nobody", and neither HOME/.aws/credentials ` +
			`nor HOME/.aws/config has that profile`: {"AWS_PROFILE", "nobody"},
		`AWS_PROFILE says "sso", and neither`: { // a section that is no profile
			"AWS_PROFILE", "sso",
		},
		`the profile "half" has no aws_access_key_id and aws_secret_access_key`: {"AWS_PROFILE", "half"},
		`the profile "with blanks" has its keys from elsewhere (role_arn); what`: {
			"AWS_PROFILE", "with blanks",
		},
		`the profile "named" has its keys from elsewhere (credential_process); what`: {
			"AWS_PROFILE", "named",
		},
		`region of the profile "odd" is no region`: {"AWS_PROFILE", "odd"},
		`AWS_REGION is no region`:                  {"AWS_REGION", "evil.example/"},
		`cannot read the profile "studio": HOME/.aws is no regular file`: {
			"AWS_PROFILE", "studio", "AWS_CONFIG_FILE", "HOME/.aws",
		},
	} {
		lookup := accountTest(t, env...)
		a, err := accountOf(lookup)
		if err == nil {
			t.Errorf("%v is taken as %v", env, a)
			continue
		}
		said := strings.ReplaceAll(err.Error(), lookup("HOME"), "HOME")
		if !strings.HasPrefix(said, "cannot be asked: "+want) || strings.Contains(said, "secret=") {
			t.Errorf("%v: it says %s, want %s", env, said, want)
		}
	}
}

// A large file is not read to its end.
func TestProfilesAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(path, make([]byte, mostProfiles+1), 0o600); err != nil {
		t.Fatal(err)
	}
	env := accountTest(t, "AWS_PROFILE", "studio", "AWS_SHARED_CREDENTIALS_FILE", path)
	if _, err := accountOf(env); err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("it says %v", err)
	}
}

// What a bucket's server refuses is said of the profile that it was asked with.
func TestProfileIsRefused(t *testing.T) {
	server := serveBucket(t, map[string][]byte{"f": content(1000)})
	home := accountTest(t)("HOME")
	own := server.env()
	env := func(name string) string {
		switch name {
		case "HOME":
			return home
		case "AWS_PROFILE":
			return "default"
		case "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY":
			return ""
		}
		return own(name)
	}
	s := bucketSource(t, "s3://music/f", file("f", 1000), env)
	want := `answers 403 Forbidden: it does not know the key in aws_access_key_id of the profile "default"`
	if _, err := read(t, s, 0, 10); err == nil || err.Error() != want {
		t.Errorf("it says %v, want %s", err, want)
	}
}

func FuzzProfile(f *testing.F) {
	f.Add(exampleCredentials, "studio", false)
	f.Add(exampleConfig, "studio", true)
	f.Add("[]\n=\n[", "", true)
	f.Fuzz(func(t *testing.T, text, name string, configuration bool) {
		for key, value := range parseProfile(text, name, configuration) {
			if strings.ContainsAny(key+value, "\n") {
				t.Errorf("%q = %q", key, value)
			}
		}
	})
}
