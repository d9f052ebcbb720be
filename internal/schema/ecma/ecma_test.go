package ecma

import (
	"errors"
	"strings"
	"testing"
)

// The verdicts were observed with Node.js 20, the u flag set, or without it
// where that flag refuses the expression.
func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{`^\d+$`, "12", true},
		{`^\d+$`, "12x", false},
		{`^\d+$`, "١٢", false},
		{`\-`, "-", true},
		{`\p{L}`, "ü", true},
		{`(?!a)b`, "b", true},
		{`^(?!https?:)`, "http://x", false},
		{`^(?!https?:)`, "ftp://x", true},
		{`(?<n>a)\k<n>`, "aa", true},
		{`(?<n>a)\k<n>`, "ab", false},
		{`a{`, "a{", true},
		{`\q`, "q", true},
		{`]`, "]", true},
		{`{`, "{", true},
		{`(?<=a)b`, "ab", true},
		{`(?<=a)b`, "cb", false},
		{`(?<!a)b`, "ab", false},
		{`(?<!a)b`, "cb", true},
		{`\w`, "é", false},
		{`\s`, "\u00a0", true},
		{`\s`, "\ufeff", true},
		{`\S`, "\u2029", false},
		{`^a$`, "a\nb", false},
		{`a$`, "a\n", false},
		{`.`, "\n", false},
		{`.`, "\u2028", false},
		{`^.$`, "😀", true},
		{`[^]`, "\n", true},
		{`[]`, "a", false},
		{`\cA`, "\x01", true},
		{`\0`, "\x00", true},
		{`\1(a)`, "a", true},
		{`(?:a|b)+?c`, "abc", true},
		{`\/`, "/", true},
		{`[\w-]`, "-", true},
		{`[\w-.]`, "-", true},
		{`[a-\d]`, "-", true},
		{`[a-c]`, "b", true},
		{`[^a-c]`, "b", false},
		{`\u{1F600}`, "😀", true},
		{`\uD83D\uDE00`, "😀", true},
		{`[\uD83D\uDE00-\u{1F610}]`, "😅", true},
		{`[\b]`, "\b", true},
		{`\B`, "a", false},
		{`\bfoo\b`, "a foo b", true},
		{`(a)|b\1`, "b", true},
		{`(?:(a)|b)*\1`, "ab", true},
		{`^(?:(a)|b)*\1$`, "aba", false},
		{`(z)((a+)?(b+)?(c))*`, "zaacbbbcac", true},
		{`(?=(a+))a*b\1`, "baaabac", true},
		{`(?:a?)*?$`, "aa", true},
		{`\p{Script=Greek}`, "α", true},
		{`\p{Uppercase_Letter}`, "A", true},
		{`\P{Lu}`, "A", false},
		{`[\p{L}\p{N}_-]+`, "é9", true},
		{`(?<=(\d+)(\d+))$`, "1053", true},
		{`^(?<=^)(\d)(?<=\1)$`, "7", true},
		{`\x4`, "x4", true},
		{`\x41`, "A", true},
		{`\k`, "k", true},
		{`(?:){3}`, "a", true},
		{`a{,5}`, "a", false},
		{`a{,5}`, "a{,5}", true},
		{`\8`, "8", true},
		{`\@`, "@", true},
		{`[\@]`, "@", true},
		{`^a{2}$`, "aa", true},
		{`^a{2,}$`, "a", false},
		{`^(?=.{2,3}$)a*$`, "aaaa", false},
		{`^(?=.{2,3}$)a*$`, "aaa", true},
		{`^(?=a)(?:ab|a)(?:c|bcd)$`, "abcd", true},
		{`(?=a)*b`, "b", true},
		{`^(?!.*(.).*\1)[a-z]+$`, "abc", true},
		{`^(?!.*(.).*\1)[a-z]+$`, "abca", false},
		{`^(?:(?=b)|b?)*c`, "bd", false},
		{``, "", true},
	}
	for _, tt := range tests {
		re, err := Compile(tt.pattern)
		if err != nil {
			t.Errorf("Compile(%q): %v", tt.pattern, err)
			continue
		}
		if got, err := re.Match(tt.text); err != nil || got != tt.want {
			t.Errorf("%q on %q = %v, %v; want %v", tt.pattern, tt.text, got, err, tt.want)
		}
		// The general way of matching must agree with the linear one.
		if re.linear != nil {
			p := &parser{src: []rune(tt.pattern)}
			tree, _ := p.parse()
			re.linear, re.program = nil, compile(tree, forward)
			if got, err := re.Match(tt.text); err != nil || got != tt.want {
				t.Errorf("backtracking %q on %q = %v, %v; want %v", tt.pattern, tt.text, got, err, tt.want)
			}
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, pattern := range []string{
		`[`, `(`, `)`, `?`, `*a`, `a**`, `a{2,1}`, `^*`, `\b+`, `(?a)`, `(?i:a)`, `\p{Foo}`, `\p`, `[b-a]`,
		`(?<n>a)(?<n>b)`, `(?<1>a)`, `\k<n>`, `\u{110000}`, `\`, `[\`, `(?<=a)*`, `{2}`, `(?`, `(?<`, `a|*`, `(?<a`, `\c1`,
		strings.Repeat("(", 2000),
	} {
		if _, err := Compile(pattern); err == nil {
			t.Errorf("Compile(%q) succeeded", pattern)
		}
	}
}

func TestCatastrophicExpressionEnds(t *testing.T) {
	re, err := Compile(`^(?=(a+)+$)b`)
	if err != nil {
		t.Fatal(err)
	}
	re.budget = 100_000
	if _, err = re.Match(strings.Repeat("a", 60) + "!"); !errors.Is(err, ErrTooComplex) {
		t.Errorf("got %v, want ErrTooComplex", err)
	}
	deep, err := Compile(`^(?:(?!x)a|b)*$`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deep.Match(strings.Repeat("ab", 60_000)); !errors.Is(err, ErrTooComplex) {
		t.Errorf("got %v, want ErrTooComplex", err)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add(`^(?!a)(b|c)*\1{2,}[^\w-]$`, "bcb")
	f.Add(`(?<n>a)\k<n>(?<=x)\u{41}`, "aaA")
	f.Add(`{2}[\d-x]\p{L}`, "é")
	f.Add(`((((a*)*)*)*)*b`, "aaaa")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 200 || len(text) > 200 {
			return
		}
		re, err := Compile(pattern)
		if err != nil {
			return
		}
		re.budget = 100_000
		linear, err := re.Match(text)
		if err != nil || re.linear == nil || !validText(text) {
			return
		}
		p := &parser{src: []rune(pattern)}
		tree, err := p.parse()
		if err != nil {
			t.Fatalf("%q parses only once: %v", pattern, err)
		}
		re.linear, re.program = nil, compile(tree, forward)
		if got, err := re.Match(text); err == nil && got != linear {
			t.Errorf("%q on %q: linear %v, backtracking %v", pattern, text, linear, got)
		}
	})
}

func validText(s string) bool { return s == strings.ToValidUTF8(s, "") }
