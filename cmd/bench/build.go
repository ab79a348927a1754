package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const modulePath = "cryptoexchange.com/escrow"

// moduleRoot finds the sources, which everything is built from.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := output(ctx, ".", "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}")
	if err != nil {
		return "", fmt.Errorf("find the sources: %w", err)
	}
	dir, ok := strings.CutPrefix(strings.TrimSpace(out), modulePath+" ")
	if !ok {
		return "", errors.New("find the sources: this is another module; run bench in the repository of " + modulePath)
	}
	return dir, nil
}

// output runs a program and gives what it printed; an error has what it said.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // programs and arguments are those of this package
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%w; install it", err)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// build gives the command line that starts a system, without arguments.
func (b *session) build(ctx context.Context, s system) ([]string, error) {
	key := s.source + "+" + s.tags
	if command, done := b.built[key]; done {
		return command, nil
	}
	var command []string
	var err error
	switch s.source {
	case "":
		command, err = b.buildOurs(ctx, s)
	case "fastify":
		command, err = b.buildNode(ctx, s)
	default:
		command, err = b.buildGo(ctx, s)
	}
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", s.name, err)
	}
	b.built[key] = command
	return command, nil
}

// buildOurs builds anew in every session: Go's own cache knows what changed.
func (b *session) buildOurs(ctx context.Context, s system) ([]string, error) {
	program := filepath.Join(b.scratch, s.name+".bin")
	_, err := output(ctx, b.root, "go", "build", "-trimpath", "-tags", s.tags, "-o", program, "./cmd/escrowd")
	return []string{program}, err
}

func (b *session) sourceOf(s system) string {
	return filepath.Join(b.root, "cmd", "bench", "testdata", s.source)
}

func (b *session) buildGo(ctx context.Context, s system) ([]string, error) {
	program := filepath.Join(b.scratch, s.source+".bin")
	b.out.progress("building %s", s.source)
	_, err := output(ctx, b.sourceOf(s), "go", "build", "-trimpath", "-o", program, ".")
	return []string{program}, err
}

// buildNode installs packages into the cache, by the content of the lock file.
func (b *session) buildNode(ctx context.Context, s system) ([]string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("there is no node on PATH; install Node, version 20 or later, with npm")
	}
	sum, err := hashFolder(b.sourceOf(s))
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(b.cli.Cache, "build", s.source+"-"+sum)
	command := []string{node, filepath.Join(folder, "server.js")}
	if _, err := os.Stat(folder); err == nil {
		return command, nil
	}
	b.out.progress("installing the packages of %s", s.source)
	unfinished := folder + ".tmp"
	if err := os.RemoveAll(unfinished); err != nil {
		return nil, err
	}
	if err := os.CopyFS(unfinished, os.DirFS(b.sourceOf(s))); err != nil {
		return nil, err
	}
	if _, err := output(ctx, unfinished, "npm", "ci", "--no-audit", "--no-fund"); err != nil {
		return nil, err
	}
	return command, os.Rename(unfinished, folder)
}

// hashFolder gives a short name for the content of a folder.
func hashFolder(folder string) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(folder, path))
		fmt.Fprintf(h, "%s %d\n%s", path, len(content), content)
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)[:6]), err
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
