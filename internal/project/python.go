package project

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-dev/greenroom/internal/source"
)

var pythonIdentifier = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// PythonPackages lists the Python packages in a folder of root, as dotted names.
func PythonPackages(root, folder string) []string {
	entries, err := os.ReadDir(filepath.Join(root, folder))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if pythonIdentifier.MatchString(e.Name()) && isFile(filepath.Join(root, folder, e.Name(), "__init__.py")) {
			name := e.Name()
			if folder != "" {
				name = folder + "." + name
			}
			names = append(names, name)
		}
	}
	return names
}

// AllPythonPackages lists the packages at the top of root and, unless src is one
// itself, in src; runnable are those with a __main__.py.
func AllPythonPackages(root string) (packages, runnable []string) {
	packages = PythonPackages(root, "")
	if !slices.Contains(packages, "src") {
		packages = append(packages, PythonPackages(root, "src")...)
	}
	// Test suites and libraries are packages too: one that can be run wins.
	runnable = slices.DeleteFunc(slices.Clone(packages), func(name string) bool {
		return !isFile(filepath.Join(root, strings.ReplaceAll(name, ".", "/"), "__main__.py"))
	})
	return packages, runnable
}

var (
	requirement   = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)`)
	pythonVersion = regexp.MustCompile(`3\.\d+`)
	mainGuard     = regexp.MustCompile(`(?m)^if\s+__name__\s*==\s*['"]__main__['"]`)
	nameSeparator = regexp.MustCompile(`[-_.]+`)
)

func (p *Project) python() (bool, error) {
	loose := Glob(p.Root, "*.py")
	packages, runnable := AllPythonPackages(p.Root)
	evidence := ""
	for _, file := range []string{"pyproject.toml", "requirements.txt", "setup.py", "setup.cfg", "Pipfile"} {
		if p.has(file) {
			evidence = file
			break
		}
	}
	if len(loose) > 0 && evidence == "" {
		evidence = p.relative(loose[0])
	}
	if evidence == "" && len(packages) > 0 {
		evidence = "the package " + packages[0]
	}
	if evidence == "" || evidence == "requirements.txt" && len(loose) == 0 && len(packages) == 0 && p.Image != nil {
		return false, nil
	}
	p.Language = Python
	p.fact("language", Python, evidence)
	meta := p.pythonMetadata()
	for _, sdk := range []string{"apify", "crawlee"} {
		if slices.Contains(p.Dependencies, sdk) {
			p.SDK = sdk
			p.fact("SDK", sdk, "the project's dependencies")
			break
		}
	}
	start := func(evidence string, words ...string) {
		p.Start = append([]string{"python3"}, words...)
		p.fact("start", strings.Join(p.Start, " "), evidence)
	}
	var files []string // what may hold the command line
	scripts := meta["project.scripts"]
	if len(scripts) == 0 {
		scripts = meta["tool.poetry.scripts"]
	}
	switch {
	case len(runnable) == 1:
		start("__main__.py of the package "+runnable[0], "-m", runnable[0])
		files = p.pythonFiles(runnable[0])
	case p.has("main.py"):
		start("the file is there", "main.py")
		files = []string{"main.py"}
	case p.has("src/main.py"):
		start("the file is there", "src/main.py")
		files = []string{"src/main.py"}
	case len(scripts) > 0:
		name := scripts[0].key
		if len(scripts) > 1 {
			p.missing("pyproject.toml has several commands; the first, " + name + ", was taken")
		}
		module, function, _ := strings.Cut(strings.Trim(scripts[0].value, `"' `), ":")
		if pythonModule.MatchString(module) && pythonModule.MatchString(function) {
			// What pip would install as a command, without installing it.
			code := "import sys; from " + module + " import " + strings.SplitN(function, ".", 2)[0] + "; sys.exit(" + function + "())"
			start("scripts of pyproject.toml: "+name, "-c", code)
			files = p.pythonFiles(strings.SplitN(module, ".", 2)[0])
		}
	case len(runnable) > 1:
		p.missing("the project has several packages that can be run: " + strings.Join(runnable, ", "))
	default:
		var guarded []string
		for _, file := range loose {
			if name := p.relative(file); name != "setup.py" && mainGuard.MatchString(p.Text(name)) {
				guarded = append(guarded, name)
			}
		}
		loose = slices.DeleteFunc(loose, func(f string) bool { return filepath.Base(f) == "setup.py" })
		switch {
		case len(guarded) == 1:
			start("the only file that is run as a program", guarded[0])
			files = guarded
		case len(loose) == 1:
			start("the only Python file", p.relative(loose[0]))
			files = []string{p.relative(loose[0])}
		case len(guarded) > 1:
			p.missing("several files could be the program: " + strings.Join(guarded, ", "))
		}
	}
	if p.SDK == "" && len(files) > 0 {
		p.found(source.Python(p.Text, files))
	}
	return true, nil
}

var pythonModule = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$`)

// pythonFiles lists the files of a package, those that usually hold the command
// line first.
func (p *Project) pythonFiles(name string) []string {
	folder := strings.ReplaceAll(name, ".", "/")
	if !isFile(p.path(folder, "__init__.py")) && isFile(p.path("src", folder, "__init__.py")) {
		folder = "src/" + folder
	}
	if p.has(folder + ".py") {
		return []string{folder + ".py"}
	}
	var files []string
	for _, first := range []string{"__main__.py", "cli.py", "main.py", "args.py", "__init__.py"} {
		if p.has(folder + "/" + first) {
			files = append(files, folder+"/"+first)
		}
	}
	for _, file := range Glob(p.path(folder), "*.py") {
		if name := p.relative(file); !slices.Contains(files, name) && len(files) < 100 {
			files = append(files, name)
		}
	}
	return files
}

// pythonMetadata reads what the packaging files say.
func (p *Project) pythonMetadata() map[string][]setting {
	p.Packages = "pip"
	evidence := "requirements.txt"
	toml := readTOML(p.Text("pyproject.toml"))
	switch {
	case p.has("uv.lock"):
		p.Packages, evidence = "uv", "uv.lock"
	case p.has("poetry.lock") || len(toml["tool.poetry"]) > 0:
		p.Packages, evidence = "poetry", "pyproject.toml"
	case !p.has("requirements.txt"):
		evidence = "pyproject.toml"
	}
	if p.has("requirements.txt") {
		p.Requirements = "requirements.txt"
		for line := range strings.Lines(p.Text("requirements.txt")) {
			p.depends(line)
		}
	}
	project := toml["project"]
	if len(project) == 0 {
		project = toml["tool.poetry"]
	}
	requires := ""
	for _, s := range project {
		switch s.key {
		case "name":
			p.Name = strings.Trim(s.value, `"'`)
		case "description":
			p.Description = strings.Trim(s.value, `"'`)
		case "requires-python":
			requires = strings.Trim(s.value, `"'`)
		case "dependencies":
			for _, quoted := range quotedText.FindAllStringSubmatch(s.value, -1) {
				p.depends(quoted[1] + quoted[2])
			}
		}
	}
	for _, s := range toml["tool.poetry.dependencies"] {
		p.depends(s.key)
	}
	p.Installable = len(project) > 0 && len(toml["build-system"]) > 0 || p.has("setup.py")
	if p.Requirements != "" || len(project) > 0 {
		p.fact("packages", p.Packages, evidence)
	}
	version, evidence := pythonVersion.FindString(p.Text(".python-version")), ".python-version"
	if version == "" && (strings.HasPrefix(requires, "==") || strings.HasPrefix(requires, "~=")) {
		version, evidence = pythonVersion.FindString(requires), "requires-python of pyproject.toml"
	}
	if version != "" {
		p.LanguageVersion = version
		p.fact("language version", version, evidence)
	}
	return toml
}

func (p *Project) depends(line string) {
	if name := requirement.FindString(strings.TrimSpace(line)); name != "" {
		name = nameSeparator.ReplaceAllString(strings.ToLower(name), "-")
		if name != "python" && !slices.Contains(p.Dependencies, name) {
			p.Dependencies = append(p.Dependencies, name)
		}
	}
}

var quotedText = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"|'([^']*)'`)

// setting is a key and its value as it is written.
type setting struct{ key, value string }

// readTOML reads as much of a TOML file as packaging metadata needs: tables,
// keys, and values that may go over several lines.
func readTOML(text string) map[string][]setting {
	tables := map[string][]setting{}
	table := ""
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines) && i < 10_000; i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			table = strings.Trim(line, "[] ")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		if strings.HasPrefix(value, "[") {
			for !strings.Contains(value, "]") && i+1 < len(lines) && len(value) < 100_000 || strings.Count(value, "[") > strings.Count(value, "]") && i+1 < len(lines) && len(value) < 100_000 {
				i++
				value += " " + strings.TrimSpace(lines[i])
			}
		} else if before, _, comment := strings.Cut(value, " #"); comment {
			value = strings.TrimSpace(before)
		}
		tables[table] = append(tables[table], setting{strings.Trim(strings.TrimSpace(key), `"'`), value})
	}
	return tables
}

// ini reads a key of a section of scrapy.cfg and the like.
func ini(text, section, key string) string {
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inside = line == "["+section+"]"
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if inside && ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

var (
	spiderClass = regexp.MustCompile(`(?m)^class\s+\w+\s*\([^)]*\w*Spider[^)]*\)\s*:`)
	spiderName  = regexp.MustCompile(`(?m)^\s+name\s*(?::\s*str\s*)?=\s*['"]([^'"]+)['"]`)
	spiderInit  = regexp.MustCompile(`(?s)def\s+__init__\s*\(\s*self\s*,?([^)]*)\)`)
	parameter   = regexp.MustCompile(`^([A-Za-z_]\w*)`)
)

// scrapy looks for a Scrapy project: scrapy.cfg, and the spiders of its module.
func (p *Project) scrapy() (bool, error) {
	if !p.has("scrapy.cfg") {
		return false, nil
	}
	p.Language, p.Scrapy = Python, &Scrapy{}
	p.fact("language", Python, "scrapy.cfg")
	p.fact("framework", "Scrapy", "scrapy.cfg")
	p.pythonMetadata()
	p.Scrapy.Settings = ini(p.Text("scrapy.cfg"), "settings", "default")
	module, _, _ := strings.Cut(p.Scrapy.Settings, ".")
	p.Start = []string{"python3", "-m", "scrapy", "crawl"}
	folder := "spiders"
	if module != "" && pythonIdentifier.MatchString(module) {
		if p.Name == "" {
			p.Name = module
		}
		folder = module + "/spiders"
	}
	for _, file := range Glob(p.path(filepath.FromSlash(folder)), "*.py") {
		text := p.Text(p.relative(file))
		at := spiderClass.FindAllStringIndex(text, 100)
		for i, class := range at {
			end := len(text)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			body := text[class[1]:end]
			name := spiderName.FindStringSubmatch(body)
			if name == nil {
				continue
			}
			spider := Spider{Name: name[1]}
			if init := spiderInit.FindStringSubmatch(body); init != nil {
				for part := range strings.SplitSeq(init[1], ",") {
					if found := parameter.FindString(strings.TrimSpace(part)); found != "" && found != "name" {
						spider.Arguments = append(spider.Arguments, found)
					}
				}
			}
			p.Scrapy.Spiders = append(p.Scrapy.Spiders, spider)
			p.fact("spider", spider.Name, p.relative(file))
		}
	}
	if len(p.Scrapy.Spiders) == 0 {
		p.missing("no spider was found in " + folder)
	}
	if slices.Contains(p.Dependencies, "apify") {
		p.SDK = "apify"
		p.fact("SDK", "apify", "the project's dependencies")
		p.Start = nil
		if packages, runnable := AllPythonPackages(p.Root); len(packages) > 0 && len(runnable) == 1 {
			p.Start = []string{"python3", "-m", runnable[0]}
			p.fact("start", strings.Join(p.Start, " "), "__main__.py of the package "+runnable[0])
		}
	}
	return true, nil
}
