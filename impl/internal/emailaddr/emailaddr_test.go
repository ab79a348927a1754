package emailaddr_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"cryptoexchange.com/escrow/impl/internal/emailaddr"
)

func TestKey(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, address, want string }{
		{"plain", "johny.smith@example.com", "johny.smith@example.com"},
		{"capitals", "Johny.SMITH@Example.COM", "johny.smith@example.com"},
		{"plus", "johny+escrow@example.com", "johny+escrow@example.com"},
		{"composed", "jos\u00e9@example.com", "jos\u00e9@example.com"},
		{"decomposed", "jose\u0301@example.com", "jos\u00e9@example.com"},
		{"capital decomposed", "JOSE\u0301@example.com", "jos\u00e9@example.com"},
		{"full width", "\uff4aohny@example.com", "johny@example.com"},
		{"Cherokee in capitals", "\u13ba@example.com", "\u13ba@example.com"},
		{"Cherokee in small letters", "\uab8a@example.com", "\u13ba@example.com"},
		{"sharp s", "stra\u00dfe@example.com", "strasse@example.com"},
		{"domain in Unicode", "johny@m\u00fcnchen.example", "johny@xn--mnchen-3ya.example"},
		{"domain in ASCII form", "johny@xn--mnchen-3ya.example", "johny@xn--mnchen-3ya.example"},
		{"domain decomposed", "johny@mu\u0308nchen.example", "johny@xn--mnchen-3ya.example"},
		{"domain with sharp s", "johny@stra\u00dfe.example", "johny@xn--strae-oqa.example"},
		{"domain in Hindi", "johny@\u0909\u0926\u093e\u0939\u0930\u0923.example", "johny@xn--p1b6ci4b4b3a.example"},
		{"domain with a middle dot", "johny@l\u00b7l.example", "johny@xn--ll-0ea.example"},
		{"domain with iteration mark", "johny@\u4f50\u3005\u6728.example", "johny@xn--u6jy55gilq.example"},
		{"domain in full width", "johny@\uff45xample.com", "johny@example.com"},
		{"longest local part", strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := emailaddr.Key(tt.address)
			if err != nil || got != tt.want {
				t.Errorf("Key(%q) = %q, %v; want %q", tt.address, got, err, tt.want)
			}
		})
	}
}

func TestKeyRefuses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "@", "johny", "johny@", "@example.com", "johny@@example.com", "a@b@example.com",
		"[email protected]", // the placeholder of the documented example
		"johny smith@example.com", " johny@example.com", "johny@example.com ", "johny@example.com\n",
		"johny@localhost", "johny@192.0.2.1", "johny@[192.0.2.1]", "johny@example..com", "johny@.example.com",
		"johny@example.com.", "johny@-example.com", "johny@exam_ple.com",
		".johny@example.com", "johny.@example.com", "jo..hny@example.com",
		`"johny smith"@example.com`, "Johny <johny@example.com>", "johny@example.com,ana@example.com",
		"johny\r\nBcc: ana@example.com", "johny\x00@example.com", "johny\u202e@example.com", "johny\u200b@example.com",
		// What nobody sees, in either part.
		"jo\u3164hny@example.com", "johny\u115f@example.com", "jo\u2800hny@example.com", "johny\ufe0f@example.com",
		"jo\u180bhny@example.com", "johny\U000e0100@example.com", "jo\u034fhny@example.com", "jo\u00adhny@example.com", "jo\u200dhny@example.com",
		"johny@exa\u3164mple.com", "johny@exa\u115fmple.com", "johny@exa\u2800mple.com", "johny@example\ufe0f.com",
		"johny@exa\u180bmple.com", "johny@exa\U000e0100mple.com", "johny@exa\u034fmple.com", "johny@exa\u00admple.com", "johny@exa\u200cmple.com",
		// Full stops of other scripts.
		"johny@example\u3002com", "johny@example\uff0ecom", "johny@example\uff61com",
		// Domain names that IDNA2008 does not have, in either form.
		"johny@\U0001f4a9.example", "johny@i\u2764.example", "johny@xn--i-7iq.example", "johny@xn--ls8h.example", "johny@\u221a.example", "johny@\u0633\u0640.example",
		"john\uff20y@example.com", "johny\xff@example.com",
		strings.Repeat("a", 65) + "@example.com",
		"a@" + strings.Repeat(strings.Repeat("a", 60)+".", 5) + "com",
	} {
		if key, err := emailaddr.Key(address); !errors.Is(err, emailaddr.ErrInvalid) {
			t.Errorf("Key(%q) = %q, %v; want ErrInvalid", address, key, err)
		}
	}
}

// FuzzKey holds every address to what the rest of the service relies on: a key
// is its own key, and has no character that ends a header line.
func FuzzKey(f *testing.F) {
	for _, seed := range []string{"johny@example.com", "JOSE\u0301@m\u00fcnchen.example", "\u1e9e@example.com", "a@\u3002.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		key, err := emailaddr.Key(address)
		if err != nil {
			return
		}
		if again, err := emailaddr.Key(key); (err != nil || again != key) && len(key) <= 254 && strings.Index(key, "@") <= 64 {
			t.Errorf("Key(%q) = %q, whose key is %q, %v", address, key, again, err)
		}
		if !utf8.ValidString(key) || strings.ContainsAny(key+address, "\r\n\x00 ") {
			t.Errorf("Key(%q) = %q", address, key)
		}
	})
}

// FuzzPlain checks that the short way to a key leads where the long one does.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{"Johny.Smith+a@Example.com", "a@b-.com", "a@1.2", "a@-b.com", "a@b--c.com", "a.@b.com", "a@xn--mnchen-3ya.example", "a@b.c1", "a@b.1-2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if !emailaddr.IsPlain(address) {
			return
		}
		if key, err := emailaddr.KeyOfAny(address); err != nil || key != strings.ToLower(address) {
			t.Errorf("%q has the key %q, %v", address, key, err)
		}
	})
}

// TestPlain checks that the short way is taken, else it would be tested in vain.
func TestPlain(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"Johny.Smith+a@Example.com", "a@b-c.d2", "1@1.x"} {
		if !emailaddr.IsPlain(address) {
			t.Errorf("%q goes the long way", address)
		}
	}
}
