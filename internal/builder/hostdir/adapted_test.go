package hostdir

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-dev/greenroom/internal/builder"
	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// TestAdaptedPrograms plans programs that a Dockerfile starts through actor exec:
// what is in the image is found here, and the adapter stays before it.
func TestAdaptedPrograms(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		needs string
		// before is the command up to the program, after what follows it; program
		// is the end of the program's path.
		before, program, after string
	}{
		"python": {
			files: map[string]string{"main.py": pythonPrints, "Dockerfile": "FROM x\nCMD [\"actor\", \"exec\", \"--stdin\", \"t\", \"--\", \"python3\", \"main.py\", \"--n={{n}}\"]"},
			needs: "python3", before: "actor exec --stdin t --", program: "python", after: "main.py --n={{n}}",
		},
		"node, though package.json has a start script": {
			files: map[string]string{"package.json": `{"scripts":{"start":"node other.js"}}`, "x.js": "", "Dockerfile": "FROM x\nENTRYPOINT [\"actor\", \"exec\", \"--\", \"node\", \"x.js\"]\nCMD [\"{{a}}\"]"},
			needs: "node", before: "actor exec --", program: "node", after: "x.js {{a}}",
		},
		"a file of the image": {
			files:  map[string]string{"tool.sh*": shellPrints, "Dockerfile": "FROM x\nCOPY tool.sh /usr/local/bin/tool\nCMD [\"/sbin/tini\", \"--\", \"actor\", \"exec\", \"--\", \"/usr/local/bin/tool\", \"--\", \"{{a}}\"]"},
			before: "actor exec --", program: "tool.sh", after: "-- {{a}}",
		},
		"a script and the folder it was copied to": {
			files:  map[string]string{"tool.sh": "echo", "Dockerfile": "FROM x\nWORKDIR /app\nCOPY . ./\nCMD [\"actor\", \"exec\", \"--\", \"sh\", \"/app/tool.sh\"]"},
			before: "actor exec --", program: "sh", after: "tool.sh",
		},
		"compiled": {
			files: map[string]string{"go.mod": "module m\ngo 1.22\n", "main.go": "package main\nfunc main() {}", "Dockerfile": "FROM golang AS build\nRUN go build\nFROM x\nCOPY --from=build /out/m /usr/local/bin/m\nCMD [\"actor\", \"exec\", \"--\", \"/usr/local/bin/m\", \"-n={{n}}\"]"},
			needs: "go", before: "actor exec --", program: "actor-go", after: "-n={{n}}",
		},
		"a command of a package": {
			files:  map[string]string{"package.json": "{}", "node_modules/.bin/made*": shellPrints, "Dockerfile": "FROM x\nCMD [\"actor\", \"exec\", \"--\", \"made\"]"},
			before: "actor exec --", program: "made", after: "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			need(t, strings.Fields(test.needs)...)
			actor := fixture(t, test.files)
			result, err := New().Build(t.Context(), builder.Request{Actor: actor})
			if err != nil {
				t.Fatal(err)
			}
			at := len(strings.Fields(test.before))
			if len(result.Command) <= at || strings.Join(result.Command[:at], " ") != test.before {
				t.Fatalf("the command is %q", result.Command)
			}
			if program := result.Command[at]; !filepath.IsAbs(program) || !strings.HasPrefix(filepath.Base(program), test.program) {
				t.Errorf("the program is %s", program)
			}
			after := slices.Clone(result.Command[at+1:])
			for i := range after {
				if filepath.IsAbs(after[i]) {
					after[i] = filepath.Base(after[i])
				}
			}
			if got := strings.Join(after, " "); got != test.after {
				t.Errorf("then comes %q, want %q", got, test.after)
			}
			if !strings.Contains(result.Summary, "command of Dockerfile: actor exec") && !strings.Contains(result.Summary, "tini") {
				t.Errorf("the summary is %q", result.Summary)
			}
		})
	}
	actor := fixture(t, map[string]string{"Dockerfile": "FROM x\nCMD [\"actor\", \"exec\", \"--\", \"no-such-tool-anywhere\"]"})
	if _, err := New().Build(t.Context(), builder.Request{Actor: actor}); !fault.Is(err, fault.Unavailable) || fault.HintOf(err) == "" {
		t.Errorf("a program that is not here gives %v", err)
	}
}
