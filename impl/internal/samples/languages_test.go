package samples_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// tool is what compiles and runs the samples of a language. Its functions take
// the folder that the samples are in, and work in it.
type tool struct {
	label   string
	file    func(id string) string // where a sample is written
	version [][]string             // names, and the commands that print a version
	compile func(ctx context.Context, folder string, ids []string) error
	command func(folder, id string) []string
}

// kit is a folder with what .ci/samples/run has installed: a Python with
// requests, TypeScript, and what Cargo has compiled before.
type kit string

func (k kit) tools() []tool {
	in := func(extension string) func(string) string {
		return func(id string) string { return id + extension }
	}
	tools := []tool{{
		label: "curl", file: in(".sh"), version: [][]string{{"curl", "curl", "--version"}},
		command: func(folder, id string) []string { return []string{"sh", filepath.Join(folder, id+".sh")} },
	}}
	if k == "" {
		return tools
	}
	python := filepath.Join(string(k), "venv", "bin", "python")
	return append(tools, tool{
		label: "PHP", file: in(".php"), version: [][]string{{"PHP", "php", "--version"}},
		command: func(folder, id string) []string {
			return []string{"php", "-d", "error_reporting=-1", "-d", "display_errors=stderr", filepath.Join(folder, id+".php")}
		},
	}, tool{
		label: "Python", file: in(".py"), version: [][]string{{"Python", python, "--version"}, {"requests", python, "-c", "import requests; print(requests.__version__)"}},
		compile: func(ctx context.Context, folder string, _ []string) error {
			return command(ctx, folder, nil, python, "-W", "error", "-m", "compileall", "-q", ".")
		},
		command: func(folder, id string) []string {
			return []string{python, "-W", "error", filepath.Join(folder, id+".py")}
		},
	}, tool{
		label: "Ruby", file: in(".rb"), version: [][]string{{"Ruby", "ruby", "--version"}},
		compile: func(ctx context.Context, folder string, ids []string) error {
			for _, id := range ids {
				if err := command(ctx, folder, nil, "ruby", "-wc", id+".rb"); err != nil {
					return err
				}
			}
			return nil
		},
		command: func(folder, id string) []string { return []string{"ruby", filepath.Join(folder, id+".rb")} },
	}, tool{
		label: "TypeScript", file: in(".ts"), version: [][]string{{"TypeScript", k.tsc(), "--version"}, {"Node.js", "node", "--version"}}, compile: k.typescript,
		command: func(folder, id string) []string { return []string{"node", filepath.Join(folder, "out", id+".js")} },
	}, tool{
		label: "Java", file: func(id string) string { return class(id) + ".java" }, version: [][]string{{"OpenJDK", "javac", "--version"}},
		compile: func(ctx context.Context, folder string, ids []string) error {
			args := []string{"--release", "17", "-Xlint:all", "-Werror", "-d", "classes"}
			for _, id := range ids {
				args = append(args, class(id)+".java")
			}
			return command(ctx, folder, nil, "javac", args...)
		},
		command: func(folder, id string) []string {
			return []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", filepath.Join(folder, "classes"), class(id)}
		},
	}, tool{
		label: "Go", file: func(id string) string { return filepath.Join(strings.ToLower(id), "main.go") }, version: [][]string{{"Go", "go", "version"}}, compile: golang,
		command: func(folder, id string) []string { return []string{filepath.Join(folder, "bin", strings.ToLower(id))} },
	}, tool{
		label: "Rust", file: in(".rs"), version: [][]string{{"Rust", "rustc", "--version"}, {"reqwest", "grep", "^reqwest", ci("rust/Cargo.toml")}}, compile: k.rust,
		command: func(_, id string) []string {
			return []string{filepath.Join(string(k), "target", "debug", "samples"), id}
		},
	})
}

func class(id string) string { return strings.ToUpper(id[:1]) + id[1:] }

// command runs one, and gives what it printed if it fails.
func command(ctx context.Context, folder string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = folder, environment(env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// ci is the folder of what .ci/samples/run installs.
func ci(name string) string { return filepath.Join("..", "..", "..", ".ci", "samples", name) }

func copyFiles(to string, files ...string) error {
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(file)), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// typescript compiles the samples strictly.
func (k kit) typescript(ctx context.Context, folder string, _ []string) error {
	modules := filepath.Join(string(k), "typescript", "node_modules")
	if err := errors.Join(
		copyFiles(folder, ci("typescript/tsconfig.json"), ci("typescript/package.json")),
		os.Symlink(modules, filepath.Join(folder, "node_modules")),
	); err != nil {
		return err
	}
	return command(ctx, folder, nil, k.tsc(), "-p", ".")
}

func (k kit) tsc() string {
	return filepath.Join(string(k), "typescript", "node_modules", ".bin", "tsc")
}

// golang compiles each sample as a program of its own.
func golang(ctx context.Context, folder string, _ []string) error {
	if err := os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module samples\n\ngo 1.26\n"), 0o600); err != nil {
		return err
	}
	env := []string{"GOFLAGS=-mod=mod", "GOWORK=off"}
	return errors.Join(
		command(ctx, folder, env, "go", "vet", "./..."),
		command(ctx, folder, env, "go", "build", "-ldflags=-s -w", "-o", "bin/", "./..."),
	)
}

// rust compiles all samples into one program, each as a module, for linking
// thirty would take a minute. The samples themselves are as they were written.
func (k kit) rust(ctx context.Context, folder string, ids []string) error {
	var modules, arms bytes.Buffer
	for _, id := range ids {
		name := "s_" + strings.ToLower(id)
		fmt.Fprintf(&modules, "mod %s {\n    include!(\"../%s.rs\");\n    pub fn run() -> Result<(), Box<dyn std::error::Error>> { main() }\n}\n", name, id)
		fmt.Fprintf(&arms, "        Some(%q) => %s::run(),\n", id, name)
	}
	program := "#![deny(warnings)]\n" + modules.String() +
		"fn main() -> Result<(), Box<dyn std::error::Error>> {\n    match std::env::args().nth(1).as_deref() {\n" + arms.String() +
		"        other => Err(format!(\"no sample {other:?}\").into()),\n    }\n}\n"
	source := filepath.Join(folder, "src")
	if err := os.Mkdir(source, 0o700); err != nil {
		return err
	}
	if err := errors.Join(
		copyFiles(folder, ci("rust/Cargo.toml"), ci("rust/Cargo.lock")),
		os.WriteFile(filepath.Join(source, "main.rs"), []byte(program), 0o600),
	); err != nil {
		return err
	}
	return command(ctx, folder, []string{"CARGO_TARGET_DIR=" + filepath.Join(string(k), "target")}, "cargo", "build", "--locked", "--quiet")
}

// result is what a sample did.
type result struct {
	stdout, stderr string
	status         int // of the process
	took           time.Duration
}

// run runs a program with nothing of ours in its environment but what is given.
func run(ctx context.Context, folder string, argv, env []string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = folder, environment(env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	r := result{stdout: stdout.String(), stderr: stderr.String(), status: cmd.ProcessState.ExitCode(), took: time.Since(began)}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return r, err
}

var number = regexp.MustCompile(`[0-9]+(\.[0-9]+)+`)

// versions names what a language's samples are compiled and run with.
func (t tool) versions(ctx context.Context) (string, error) {
	var list []string
	for _, v := range t.version {
		out, err := exec.CommandContext(ctx, v[1], v[2:]...).Output()
		if err != nil {
			return "", fmt.Errorf("%s: %w", v[0], err)
		}
		list = append(list, v[0]+" "+number.FindString(string(out)))
	}
	return strings.Join(list, ", "), nil
}
