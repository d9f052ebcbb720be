package cmdkit

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParsePairs(t *testing.T) {
	for _, test := range []struct {
		args string // separated by |
		want string // an error when it does not begin with {
	}{
		{"", "{}"},
		{"b=1|a=x", `{"b":1,"a":"x"}`},
		{"n=1.0|big=12345678901234567890|far=1e400|neg=-0.5", `{"n":1.0,"big":12345678901234567890,"far":1e400,"neg":-0.5}`},
		{"zip=007|plus=+1|hex=0x10|dot=.5|inf=Infinity|dash=-", `{"zip":"007","plus":"+1","hex":"0x10","dot":".5","inf":"Infinity","dash":"-"}`},
		{"t=true|f=false|z=null|T=True|e=", `{"t":true,"f":false,"z":null,"T":"True","e":""}`},
		{"s= 1|t=1 |u=1\n", `{"s":" 1","t":"1 ","u":"1\n"}`},
		{"url=http://x/?a=b&c=<d>", `{"url":"http://x/?a=b&c=<d>"}`},
		{`list:=[1, 2]|o:={"a":{}}|s:="7"|n:= null `, `{"list":[1, 2],"o":{"a":{}},"s":"7","n":null}`},
		{"obj={}|arr=[]", `{"obj":"{}","arr":"[]"}`},
		{"a:b=c", `{"a:b":"c"}`},
		{`q"=\`, `{"q\"":"\\"}`},
		{"word", `"word" is not of the form key=value`},
		{"=v", `"=v" has no key before the =`},
		{":=1", `":=1" has no key before the =`},
		{"a=1|a=2", `key "a" is given twice`},
		{"a:={", "the value of a:= is not JSON: {"},
		{"a:=", "the value of a:= is not JSON: "},
		{"a=\xff", `"a=\xff" is not UTF-8 text`},
	} {
		var args []string
		if test.args != "" {
			args = strings.Split(test.args, "|")
		}
		got, err := ParsePairs(args)
		text := string(got)
		if err != nil {
			text = err.Error()
		}
		if text != test.want {
			t.Errorf("%q gives %s, want %s", args, text, test.want)
		}
	}
}

func FuzzParsePairs(f *testing.F) {
	f.Add("a=1", "b:=[2]")
	f.Add("k=007", "k==")
	f.Add(":=", "\xff=1")
	f.Fuzz(func(t *testing.T, first, second string) {
		got, err := ParsePairs([]string{first, second})
		if err != nil {
			return
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(got, &fields); err != nil || len(fields) != 2 {
			t.Errorf("%q and %q give %s: %v", first, second, got, err)
		}
	})
}
