package main

import (
	"context"
	"errors"

	"cryptoexchange.com/escrow/impl"
)

type docsCommand struct {
	Out       string `required:"" help:"Folder to write to; it is made if there is none." placeholder:"DIR"`
	PublicURL string `help:"Where the server is that the documentation is of. Without it, the one that the contract names." env:"ESCROW_PUBLIC_URL" placeholder:"URL"`
	Force     bool   `help:"Write even if the folder has something in it. Files of the same names are overwritten, others left."`
}

// Help gives examples.
func (*docsCommand) Help() string {
	return examples("docs --out site", "docs --out /var/www/escrow --public-url https://escrow.example.com --force")
}

// Run writes the documentation as files.
func (d *docsCommand) Run(ctx context.Context, out ui) error {
	files, err := impl.ExportDocumentation(ctx, impl.DocumentationExport{Folder: d.Out, PublicURL: d.PublicURL, Overwrite: d.Force})
	if errors.Is(err, impl.ErrFolderNotEmpty) {
		return errors.Join(err, errors.New("choose another folder, or overwrite with --force"))
	}
	if err != nil {
		return err
	}
	out.printf("%d files written to %s\n", files, d.Out)
	out.hint("put them on any web host, at any path; index.html leads to the documentation")
	return nil
}
