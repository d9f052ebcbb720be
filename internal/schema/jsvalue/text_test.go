package jsvalue

import "testing"

// The texts are what Node.js writes with JSON.stringify(JSON.parse(text)).
func TestAppendJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"b":1,"10":2,"9":3,"b":4,"01":5,"4294967295":6,"4294967294":7}`: `{"9":3,"10":2,"4294967294":7,"b":4,"01":5,"4294967295":6}`,
		`[1.0,-0,1e21,1e-7,123456789012345680000,1e999,0.1]`:              `[1,0,1e+21,1e-7,123456789012345680000,null,0.1]`,
		`"\u00e9\/\u0001\n\"\\\u2028"`:                                    "\"é/\\u0001\\n\\\"\\\\\u2028\"",
		`[true,null,{}]`:                                                  `[true,null,{}]`,
	} {
		if got := string(AppendJSON(nil, parse(t, text))); got != want {
			t.Errorf("%s gives %s, want %s", text, got, want)
		}
	}
}

func TestAppendKey(t *testing.T) {
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{`{"a":1,"b":[2]}`, `{"b":[2.0],"a":1e0}`, true},
		{`{"a":1,"a":2}`, `{"a":2}`, true},
		{`0`, `-0`, true},
		{`"1"`, `1`, false},
		{`null`, `"null"`, false},
		{`["a","b"]`, `["a1:b"]`, false},
		{`[[1],2]`, `[[1,2]]`, false},
		{`{}`, `[]`, false},
	} {
		a, b := AppendKey(nil, parse(t, test.a)), AppendKey(nil, parse(t, test.b))
		if (string(a) == string(b)) != test.same {
			t.Errorf("%s has %s, %s has %s", test.a, a, test.b, b)
		}
	}
}
