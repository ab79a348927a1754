package main

import "strings"

// examples are what the help of a sub-command ends with.
func examples(lines ...string) string {
	title := "Examples:"
	if len(lines) == 1 {
		title = "Example:"
	}
	return title + "\n\n  escrowd " + strings.Join(lines, "\n  escrowd ")
}

// Help gives examples.
func (*serveCommand) Help() string {
	return examples("serve", "--data /var/lib/escrow --public-url https://escrow.example.com --trusted-proxies 10.0.0.0/8", "serve --sandbox", "serve --listen :8080 --smtp-url smtp://mail.example.com:587 --smtp-password-file /run/secrets/smtp")
}

// Help gives examples.
func (*partnerCommand) Help() string {
	return examples(`partner create "Example Marketplace"`, "partner list")
}

// Help gives an example.
func (*partnerCreate) Help() string {
	return examples(`partner create "Example Marketplace" --data /var/lib/escrow`)
}

// Help gives an example.
func (*partnerList) Help() string { return examples("partner list") }

// Help gives examples.
func (*keyCommand) Help() string { return examples("key create 1", "key list 1", "key revoke 3") }

// Help gives an example.
func (*keyCreate) Help() string { return examples("key create 1") }

// Help gives an example.
func (*keyList) Help() string { return examples("key list 1") }

// Help gives an example.
func (*keyRevoke) Help() string { return examples("key revoke 3") }

// Help gives examples.
func (*customerCommand) Help() string {
	return examples("customer show 2548", "customer suspend 2548", "customer erase 2548 --yes")
}

// Help gives an example.
func (*customerShow) Help() string { return examples("customer show 2548") }

// Help gives an example.
func (*customerSuspend) Help() string { return examples("customer suspend 2548") }

// Help gives an example.
func (*customerRestore) Help() string { return examples("customer restore 2548") }

// Help gives an example.
func (*customerErase) Help() string { return examples("customer erase 2548 --yes") }

// Help gives examples.
func (*mailCommand) Help() string {
	return examples("mail list --state failed", "mail retry --all-failed")
}

// Help gives examples.
func (*mailList) Help() string { return examples("mail list", "mail list --state failed --limit 20") }

// Help gives examples.
func (*mailRetry) Help() string {
	return examples("mail retry 018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", "mail retry --all-failed")
}

// Help gives an example.
func (*keysetCommand) Help() string { return examples("keyset rotate") }

// Help gives an example.
func (*keysetRotate) Help() string { return examples("keyset rotate --keyset /etc/escrow/keyset.json") }

// Help gives an example.
func (*backupCommand) Help() string { return examples("backup /srv/backup/escrow.db") }
