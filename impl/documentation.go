package impl

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strconv"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/docs"
	"cryptoexchange.com/escrow/impl/internal/httpapi"
)

// DocumentationExport says where the documentation is written to, as files.
type DocumentationExport struct {
	Folder string // it is made if there is none
	// PublicURL is where the server is that the documentation is of, as in
	// [Config]. Empty for the one that the contract names.
	PublicURL string
	Overwrite bool // write to a folder that has something in it
}

// ErrFolderNotEmpty is of a folder that must be empty.
var ErrFolderNotEmpty = docs.ErrNotEmpty

// ExportDocumentation writes the site that a server has under /docs as files, for
// any web host and any path on it, and gives their number.
func ExportDocumentation(ctx context.Context, e DocumentationExport) (int, error) {
	if e.Folder == "" {
		return 0, errors.New("out: name a folder to write to")
	}
	server := ""
	if e.PublicURL != "" {
		if err := checkPublicURL(e.PublicURL); err != nil {
			return 0, err
		}
		u, err := url.Parse(e.PublicURL)
		if err != nil {
			return 0, err
		}
		server = u.Scheme + "://" + u.Host + APIPath
	}
	site, err := newDocumentation(server)
	if err != nil {
		return 0, err
	}
	return site.Export(ctx, e.Folder, e.Overwrite)
}

// newDocumentation makes the site of a server; without a URL, of the one that the
// contract names.
func newDocumentation(serverURL string) (*docs.Site, error) {
	problems := make([]docs.Problem, 0, len(httpapi.Problems()))
	for _, p := range httpapi.Problems() {
		problems = append(problems, docs.Problem(p))
	}
	return docs.New(docs.Config{Contract: spec.YAML, ServerURL: serverURL, Problems: problems})
}

// publicHost is a host, and perhaps a port, that means nothing else in any of the
// texts that a public URL is put into: commands for a shell, the contract, and a
// page's Content-Security-Policy.
var publicHost = regexp.MustCompile(`^(?:[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?$`)

// checkPublicURL tells what is wrong with a URL that is to begin links.
func checkPublicURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil {
		return errors.New("public URL: want one such as https://escrow.example.com, without query and user")
	}
	if u.Path != "" && u.Path != "/" {
		return errors.New("public URL: must have no path, for the pages link to each other from the root: give the service a host name of its own")
	}
	if !publicHost.MatchString(u.Host) {
		return errors.New("public URL: want a host of letters, digits, dots, - and _, or an IP address; and a name beyond ASCII as browsers send it (xn--...)")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("public URL: there is no such port")
		}
	}
	return nil
}
