package dockerfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

func TestParse(t *testing.T) {
	tests := map[string]struct {
		text string
		want Start
	}{
		"exec form": {
			"FROM a\nCMD [\"x\", \"$y z\"]\n",
			Start{Argv: []string{"x", "$y z"}, Base: "a"},
		},
		"shell form": {
			"FROM a\nCMD x  $y && \\\n  z\n",
			Start{Argv: []string{"/bin/sh", "-c", "x  $y &&   z"}, Base: "a"},
		},
		"shell form with a shell of its own": {
			"FROM a\nSHELL [\"/bin/bash\", \"-ec\"]\nENTRYPOINT x\nCMD unused\n",
			Start{Argv: []string{"/bin/bash", "-ec", "x"}, Base: "a"},
		},
		"entrypoint and command": {
			"FROM a\nCMD [\"one\"]\nENTRYPOINT [\"e\", \"f\"]\n",
			Start{Argv: []string{"e", "f", "one"}, Base: "a"},
		},
		"entrypoint with a command for the shell": {
			"FROM a\nENTRYPOINT [\"e\"]\nCMD one two\n",
			Start{Argv: []string{"e", "/bin/sh", "-c", "one two"}, Base: "a"},
		},
		"the last one counts": {
			"FROM a\nCMD a\nCMD [\"b\"]\n",
			Start{Argv: []string{"b"}, Base: "a"},
		},
		"an empty entrypoint takes it back": {
			"FROM a\nENTRYPOINT [\"e\"]\nENTRYPOINT []\nCMD [\"c\"]\n",
			Start{Argv: []string{"c"}, Base: "a"},
		},
		"nothing of its own": {
			"FROM a\nRUN x\n",
			Start{Base: "a"},
		},
		"inherited from a stage": {
			"FROM a AS One\nENV X=1\nWORKDIR /w\nCMD [\"c\"]\nEXPOSE 1\nFROM b\nCMD [\"no\"]\nFROM one\nWORKDIR v\n",
			Start{Argv: []string{"c"}, Dir: "/w/v", Env: []string{"X=1"}, Ports: []string{"1"}, Base: "a"},
		},
		"a new entrypoint drops the inherited command": {
			"FROM a AS one\nCMD [\"c\"]\nFROM one\nENTRYPOINT [\"e\"]\n",
			Start{Argv: []string{"e"}, Base: "a"},
		},
		"variables": {
			"ARG V=1\nARG W\nFROM a:$V AS x\nARG V\nARG U=u$V\nENV A=${U}-${NONE:-d} B=b\nENV B=\"$B $A\"\nWORKDIR /$A/\nEXPOSE $V/tcp 80\nCOPY $B /c/\nCMD [\"$A\"]\n",
			Start{Argv: []string{"$A"}, Dir: "/u1-d", Env: []string{"A=u1-d", "B=b u1-d"}, Ports: []string{"1/tcp", "80"}, Copies: []Copy{{[]string{"b u1-d"}, "/c/"}}, Base: "a:1"},
		},
		"copies": {
			"FROM a\nWORKDIR /w\nCOPY . .\nCOPY --chown=1:1 ./a ../b /x/y\nADD [\"s p\", \"dir/\"]\nADD http://x/y /z\nCOPY --from=0 /a /b\nCOPY <<E /inline\nx\nE\n",
			Start{Dir: "/w", Base: "a", Copies: []Copy{
				{[]string{""}, "/w/"}, {[]string{"a", "b"}, "/x/y"}, {[]string{"s p"}, "/w/dir/"}, {[]string{}, "/z"},
			}},
		},
		"comments, directives and lower case": {
			"# escape=`\n# x\nfrom a\nworkdir `\n  /w\ncmd [\"c\"] # no comment\n",
			Start{Argv: []string{"/bin/sh", "-c", "[\"c\"] # no comment"}, Dir: "/w", Base: "a"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCommandErrorsNameTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Dockerfile")
	for text, part := range map[string]string{
		"FROM a\nNOPE\n":            "NOPE",
		"":                          "no instructions",
		"# only\n":                  "no instructions",
		"ARG X\n":                   "no FROM line",
		"FROM a\nRUN <<EOF\nx\n":    "unterminated",
		"FROM a\nENV A=${B?no}\n":   "line 2",
		"RUN before\nFROM a\n":      "no build stage",
		"FROM a\nCOPY onlyone\n":    "COPY",
		"FROM a\nCMD [\"x\"\nCMD\n": "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Command(file)
		if part == "" {
			if err != nil {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: error is %v, want one that names the file and %q", text, err, part)
		}
	}
	if _, err := Command(filepath.Join(t.TempDir(), "none")); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("a missing file gives %v", err)
	}
}

func TestWithoutHeredocs(t *testing.T) {
	tests := map[string]struct {
		text, want string
		files      []File
	}{
		"none": {"FROM a\nRUN echo '<<EOF'\n", "FROM a\nRUN echo '<<EOF'\n", nil},
		"a script": {
			"FROM a\nRUN --mount=type=cache,target=/c <<EOF\nset -e\necho \"$X\" <&1\nEOF\nUSER me\n",
			"FROM a\nRUN --mount=type=cache,target=/c [\"/bin/sh\",\"-c\",\"set -e\\necho \\\"$X\\\" <&1\\n\"]\n\n\n\nUSER me\n", nil,
		},
		"a command that reads some": {
			"FROM a\nSHELL [\"bash\",\"-c\"]\nRUN cat <<A - <<'B' > f\na $X\nA\nb $X\nB\n",
			"FROM a\nSHELL [\"bash\",\"-c\"]\nRUN [\"bash\",\"-c\",\"cat <<A - <<'B' > f\\na $X\\nA\\nb $X\\nB\"]\n\n\n\n\n", nil,
		},
		"tabs": {
			"FROM a\nRUN <<-EOF\n\techo\n\tEOF\n",
			"FROM a\nRUN [\"/bin/sh\",\"-c\",\"echo\\n\"]\n\n\n", nil,
		},
		"files": {
			"ARG G=g\nFROM a AS s\nARG G\nENV E=$G\nFROM s\nCOPY --chown=1:1 <<one x <<\"two\" /to/\n'$E' \\$G \"${G}\"\none\n$E\ntwo\n",
			"ARG G=g\nFROM a AS s\nARG G\nENV E=$G\nFROM s\nCOPY --chown=1:1 [\"x\",\".greenroom-heredocs/line-6/one\",\".greenroom-heredocs/line-6/two\",\"/to/\"]\n\n\n\n\n",
			[]File{{".greenroom-heredocs/line-6/one", []byte("'g' $G \"\"\n")}, {".greenroom-heredocs/line-6/two", []byte("$E\n")}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := WithoutHeredocs([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got.Bytes)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.files, got.Files); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"FROM a\nCMD [\"x\", \"y\"]\n",
		"FROM a AS b\nENTRYPOINT x\nFROM b\nCMD y",
		"ARG X=${Y:-z}\nFROM $X\nENV A=$X B='c d'\nWORKDIR $A\nEXPOSE 80/tcp\nCOPY --from=b . /\nADD a b c/\n",
		"# escape=`\nFROM a\nSHELL [\"powershell\"]\nCMD a `\n b\n",
		"FROM a\nRUN <<EOF\n#!/bin/sh\nEOF\nCOPY <<-'A' <<B /x/\n\tA\nB\n",
		"FROM a\nONBUILD CMD x\nCMD [\nCMD []\nENTRYPOINT [\"\"]\nCMD",
		"FROM a\nCMD [\"\\u0000\", \"\xff\"]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start, err := Parse(text)
		if err == nil && start.Argv != nil && len(start.Argv) == 0 {
			t.Errorf("an empty command")
		}
		if err == nil && start.Dir != "" && !strings.HasPrefix(start.Dir, "/") {
			t.Errorf("working directory %q is not absolute", start.Dir)
		}
		rewritten, err := WithoutHeredocs(text)
		if err != nil {
			return
		}
		again, err := WithoutHeredocs(rewritten.Bytes)
		if err != nil {
			t.Fatalf("what was rewritten cannot be read: %v\n%s", err, rewritten.Bytes)
		}
		if string(again.Bytes) != string(rewritten.Bytes) {
			t.Errorf("here-documents are left in\n%s", rewritten.Bytes)
		}
		for _, file := range rewritten.Files {
			if !filepath.IsLocal(filepath.FromSlash(file.Path)) {
				t.Errorf("file %q is not below the context", file.Path)
			}
		}
	})
}
