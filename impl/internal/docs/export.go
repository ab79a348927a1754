package docs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// ErrNotEmpty is of a folder that has something in it which an export might mix
// with.
var ErrNotEmpty = errors.New("it is not empty")

// Export writes the site as files to a folder, for any web host and any path
// below it, and gives their number. The folder is made if there is none. Unless
// told to overwrite, one that has something in it is refused with [ErrNotEmpty];
// files that the site does not have are left as they are.
func (s *Site) Export(ctx context.Context, folder string, overwrite bool) (int, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // a web server reads it
		return 0, err
	}
	if entries, err := os.ReadDir(folder); err != nil {
		return 0, err
	} else if len(entries) > 0 && !overwrite {
		return 0, &fs.PathError{Op: "export to", Path: folder, Err: ErrNotEmpty}
	}
	b, err := s.book()
	if err != nil {
		return 0, err
	}
	defer runtime.KeepAlive(b) // once for all pages
	for _, p := range s.pages {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		content, err := p.write(linker{site: s, from: p.path, static: true})
		if err != nil {
			return 0, err
		}
		name := filepath.Join(folder, filepath.FromSlash(p.path))
		if !p.isFile {
			name = filepath.Join(name, "index.html")
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // a web server reads it
			return 0, err
		}
		if err := os.WriteFile(name, content, 0o644); err != nil { //nolint:gosec // a web server reads it
			return 0, err
		}
	}
	return len(s.pages), nil
}
