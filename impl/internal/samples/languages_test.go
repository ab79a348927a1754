package samples_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// tool is what compiles and runs the samples of a language. Its functions take
// the folder that the samples are in, and work in it.
type tool struct {
	label   string
	file    func(id string) string // where a sample is written
	version []string               // command that prints it
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
		label: "curl", file: in(".sh"), version: []string{"curl", "--version"},
		command: func(folder, id string) []string { return []string{"sh", filepath.Join(folder, id+".sh")} },
	}}
	if k == "" {
		return tools
	}
	python := filepath.Join(string(k), "venv", "bin", "python")
	return append(tools, tool{
		label: "PHP", file: in(".php"), version: []string{"php", "--version"},
		command: func(folder, id string) []string {
			return []string{"php", "-d", "error_reporting=-1", "-d", "display_errors=stderr", filepath.Join(folder, id+".php")}
		},
	}, tool{
		label: "Python", file: in(".py"), version: []string{python, "-c", "import sys, requests; print(sys.version.split()[0], 'requests', requests.__version__)"},
		compile: func(ctx context.Context, folder string, _ []string) error {
			return command(ctx, folder, nil, python, "-W", "error", "-m", "compileall", "-q", ".")
		},
		command: func(folder, id string) []string {
			return []string{python, "-W", "error", filepath.Join(folder, id+".py")}
		},
	}, tool{
		label: "Ruby", file: in(".rb"), version: []string{"ruby", "--version"},
		command: func(folder, id string) []string { return []string{"ruby", "-w", filepath.Join(folder, id+".rb")} },
	}, tool{
		label: "TypeScript", file: in(".ts"), version: []string{"node", "--version"}, compile: k.typescript,
		command: func(folder, id string) []string { return []string{"node", filepath.Join(folder, "out", id+".js")} },
	}, tool{
		label: "Java", file: func(id string) string { return class(id) + ".java" }, version: []string{"javac", "--version"},
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
		label: "Go", file: func(id string) string { return filepath.Join(strings.ToLower(id), "main.go") }, version: []string{"go", "version"}, compile: golang,
		command: func(folder, id string) []string { return []string{filepath.Join(folder, "bin", strings.ToLower(id))} },
	}, tool{
		label: "Rust", file: in(".rs"), version: []string{"rustc", "--version"}, compile: k.rust,
		command: func(folder, id string) []string {
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
	return command(ctx, folder, nil, filepath.Join(modules, ".bin", "tsc"), "-p", ".")
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

// versionOf gives the first line that a command prints.
func versionOf(ctx context.Context, argv []string) (string, error) {
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if words := strings.Fields(line); len(words) > 6 {
		line = strings.Join(words[:2], " ")
	}
	return line, err
}
