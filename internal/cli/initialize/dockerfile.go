package initialize

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/project"
)

// Versions that Dockerfiles name where the project does not.
const (
	nodeVersion   = "20"
	pythonVersion = "3.11"
	goVersion     = "1.26"
)

const adapterNote = `# The actor command turns the input into arguments, and what the program prints
# into items of the dataset or the record OUTPUT: see actor exec --help. It is put
# into the container where the image has none; for a platform that does not do
# so, copy it to /usr/local/bin/actor.
`

// makeText writes the Dockerfile.
func (w *work) makeText() (string, error) {
	if w.derived {
		return w.derivedText()
	}
	var b strings.Builder
	b.WriteString(ownMark + ".\n")
	p := w.project
	switch {
	case p.Language == project.Python:
		w.pythonText(&b)
	case p.Language == project.JavaScript && len(w.start) > 0, p.Language == project.TypeScript:
		w.nodeText(&b)
	case p.Language == project.Go && p.Main != "":
		w.goText(&b)
	case p.Language == project.Rust && p.Main != "":
		w.rustText(&b)
	default:
		w.otherText(&b)
	}
	return b.String(), nil
}

// command ends a Dockerfile.
func (w *work) command(b *strings.Builder) {
	if len(w.start) == 0 {
		b.WriteString("\n# It was not found what starts the program. Put its command here; for a program\n" +
			"# that knows nothing of Actors:\n" +
			"#\n" +
			"#   CMD [\"actor\", \"exec\", \"--\", \"PROGRAM\", \"--option={{field}}\"]\n" +
			"CMD [\"sh\", \"-c\", \"echo 'edit the CMD of the Dockerfile: it does not start anything yet' >&2; exit 1\"]\n")
		return
	}
	b.WriteString("\n")
	if w.adapted {
		b.WriteString(adapterNote)
	}
	b.WriteString("CMD " + execForm(w.start) + "\n")
}

// execForm writes a command as Docker reads it without a shell, a word a line
// when there are many.
func execForm(words []string) string {
	quoted := make([]string, len(words))
	length := 0
	for i, word := range words {
		var text strings.Builder
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(word) // text always has a JSON form
		quoted[i] = strings.TrimSuffix(text.String(), "\n")
		length += len(quoted[i]) + 2
	}
	if length <= 100 {
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	// The program and what belongs to it stay on the first line.
	head := slices.Index(words, "--") + 1
	for head > 0 && head < len(words) && !strings.Contains(words[head], "{{") && words[head] != "--" {
		head++
	}
	head = max(head, 1)
	return "[" + strings.Join(quoted[:head], ", ") + ", \\\n     " + strings.Join(quoted[head:], ", \\\n     ") + "]"
}

func (w *work) pythonText(b *strings.Builder) {
	p := w.project
	version := p.LanguageVersion
	if version == "" {
		version = pythonVersion
	}
	fmt.Fprintf(b, "FROM apify/actor-python:%s\n\n", version)
	switch {
	case p.Requirements != "":
		fmt.Fprintf(b, "COPY %s ./\nRUN pip install --no-cache-dir -r %s\n", p.Requirements, p.Requirements)
		if p.Scrapy != nil && !slices.Contains(p.Dependencies, "scrapy") {
			b.WriteString("RUN pip install --no-cache-dir scrapy\n")
		}
		b.WriteString("\nCOPY . ./\n")
	case p.Scrapy != nil && !slices.Contains(p.Dependencies, "scrapy"):
		b.WriteString("RUN pip install --no-cache-dir scrapy\n\nCOPY . ./\n")
	case p.Installable && len(p.Dependencies) > 0:
		b.WriteString("COPY . ./\nRUN pip install --no-cache-dir .\n")
	default:
		if len(p.Dependencies) > 0 {
			b.WriteString("RUN pip install --no-cache-dir " + strings.Join(p.Dependencies, " ") + "\n\n")
		}
		b.WriteString("COPY . ./\n")
	}
	w.command(b)
}

func (w *work) nodeText(b *strings.Builder) {
	p := w.project
	version := p.LanguageVersion
	if version == "" {
		version = nodeVersion
	}
	fmt.Fprintf(b, "FROM apify/actor-node:%s\n\n", version)
	install := ""
	if len(p.Dependencies) > 0 || p.BuildScript {
		only := " --omit=dev"
		if p.BuildScript {
			only = " --include=dev" // the build needs what only developers need
		}
		lock := p.Packages == "npm" && exists(filepath.Join(w.root, "package-lock.json"))
		switch {
		case p.Packages == "pnpm":
			install = "npx --yes pnpm install --frozen-lockfile"
		case p.Packages == "yarn":
			install = "npx --yes yarn install --frozen-lockfile"
		case p.Packages == "bun":
			install = "npx --yes bun install --frozen-lockfile"
		case lock:
			install = "npm ci" + only + " --no-audit --no-fund"
		default:
			install = "npm install" + only + " --no-audit --no-fund"
		}
	}
	files := map[string]string{"pnpm": " pnpm-lock.yaml", "yarn": " yarn.lock", "bun": " bun.lock*"}[p.Packages]
	switch {
	case install == "":
		b.WriteString("COPY --chown=myuser . ./\n")
	case p.LocalPackages:
		// The packages lie in the project itself.
		b.WriteString("COPY --chown=myuser . ./\nRUN " + install + "\n")
	default:
		b.WriteString("COPY --chown=myuser package*.json" + files + " ./\nRUN " + install + "\n\nCOPY --chown=myuser . ./\n")
	}
	if p.BuildScript {
		b.WriteString("RUN npm run build\n")
	}
	w.command(b)
}

func (w *work) goText(b *strings.Builder) {
	p := w.project
	version := p.LanguageVersion
	if version == "" {
		version = goVersion
	}
	fmt.Fprintf(b, "FROM golang:%s-alpine AS build\nWORKDIR /src\n", version)
	if len(p.Dependencies) > 0 {
		b.WriteString("COPY go.mod go.sum ./\nRUN go mod download\n")
	}
	fmt.Fprintf(b, "COPY . ./\nRUN CGO_ENABLED=0 go build -trimpath -o /out/%s %s\n\n", w.name, p.Main)
	fmt.Fprintf(b, "FROM busybox\nCOPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/\nCOPY --from=build /out/%s /usr/local/bin/%s\n", w.name, w.name)
	w.command(b)
}

func (w *work) rustText(b *strings.Builder) {
	p := w.project
	fmt.Fprintf(b, "FROM rust:1 AS build\nWORKDIR /src\nCOPY . ./\nRUN cargo build --release --bin %s\n\n", p.Main)
	fmt.Fprintf(b, "FROM debian:stable-slim\nRUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*\n")
	fmt.Fprintf(b, "COPY --from=build /src/target/release/%s /usr/local/bin/%s\n", p.Main, w.name)
	w.command(b)
}

// otherText is for scripts, and for programs that are no part of the project.
func (w *work) otherText(b *strings.Builder) {
	base, note := "debian:stable-slim", ""
	program := ""
	if len(w.project.Start) > 0 {
		program = filepath.Base(w.project.Start[0])
		if interpreter := project.Shebang(w.path(w.project.Start[0])); interpreter != nil {
			program = filepath.Base(interpreter[0])
		}
	}
	switch {
	case w.project.Language == project.Ruby:
		base = "ruby:3-slim"
	case w.project.Language == project.PHP:
		base = "php:8-cli"
	case w.project.Language == project.Perl:
		base = "perl:5-slim"
	case strings.HasPrefix(program, "python"):
		base = "apify/actor-python:" + pythonVersion
	case program == "node":
		base = "apify/actor-node:" + nodeVersion
	case slices.Contains([]string{"", "sh", "ash", "busybox"}, program):
		base = "busybox"
	case slices.Contains(busyboxPrograms, program):
		// A help text that is not BusyBox's is of a tool with other options.
		if w.busybox || w.options.FromHelp == "" {
			base = "busybox"
		}
	case program == "bash":
	default:
		if !exists(filepath.Join(w.root, program)) {
			note = "# The image has no " + program + ": install it here, or name an image that has it.\n" +
				"# RUN apt-get update && apt-get install -y --no-install-recommends " + program + "\n"
			w.missing = append(w.missing, "it is not known which image has "+program+"; the Dockerfile needs a line that installs it")
		}
	}
	fmt.Fprintf(b, "FROM %s\n%s\nWORKDIR /usr/src/app\nCOPY . ./\n", base, note)
	w.command(b)
}

// busyboxPrograms are in every BusyBox image.
var busyboxPrograms = []string{
	"sh", "ash", "awk", "base64", "basename", "bc", "cal", "cat", "cksum", "cmp", "comm", "cut", "date", "dc", "diff", "dirname", "du",
	"echo", "egrep", "env", "expr", "factor", "fgrep", "find", "fold", "grep", "gunzip", "gzip", "head", "hexdump", "hostname",
	"ls", "md5sum", "nl", "nslookup", "od", "paste", "ping", "printf", "rev", "sed", "seq", "sha1sum", "sha256sum", "sha512sum",
	"shuf", "sleep", "sort", "split", "strings", "sum", "tac", "tail", "tar", "tee", "tr", "tree", "uname", "uniq", "unzip",
	"wc", "wget", "whoami", "xargs", "xxd", "yes",
}

// derivedText is the Dockerfile that is there with another start.
func (w *work) derivedText() (string, error) {
	text, err := os.ReadFile(filepath.Join(w.root, filepath.FromSlash(w.project.Dockerfile)))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	// A parser directive counts in the first lines only.
	lines := strings.SplitAfter(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	n := 0
	for n < len(lines) && directive(lines[n]) {
		b.WriteString(lines[n])
		n++
	}
	fmt.Fprintf(&b, "%s: the image of %s with another start.\n# What changes there must change here, too.\n\n", ownMark, w.project.Dockerfile)
	b.WriteString(strings.TrimRight(strings.Join(lines[n:], ""), "\n") + "\n\n")
	if w.adapted {
		b.WriteString(adapterNote)
	}
	b.WriteString("ENTRYPOINT " + execForm(w.start) + "\nCMD []\n")
	return b.String(), nil
}

func directive(line string) bool {
	line = strings.ReplaceAll(strings.ToLower(line), " ", "")
	return strings.HasPrefix(line, "#syntax=") || strings.HasPrefix(line, "#escape=") || strings.HasPrefix(line, "#check=")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
