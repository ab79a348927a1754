package main

// Help gives examples.
func (*customerCommand) Help() string {
	return "Examples:\n\n" + createExample + "\n" + getExample
}

// Help gives an example.
func (*customerCreate) Help() string { return "Example:\n\n" + createExample }

// Help gives an example.
func (*customerGet) Help() string { return "Example:\n\n" + getExample }

const (
	createExample = `  escrow customer create --email ana.garcia@example.com --first-name Ana \
      --line1 "Calle de Alcalá 50" --city Madrid --country ES --post-code 28014`
	getExample = `  escrow customer get 2548 --json`
)
