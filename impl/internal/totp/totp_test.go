package totp_test

import (
	"bytes"
	"encoding/base32"
	"image/png"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/impl/internal/totp"
)

// secret is that of RFC 6238 appendix B.
var secret = []byte("12345678901234567890")

// vectors are those of RFC 6238 appendix B for SHA-1, with the last 6 of the 8
// digits.
var vectors = []struct {
	unix int64
	code string
}{
	{59, "287082"},
	{1111111109, "081804"},
	{1111111111, "050471"},
	{1234567890, "005924"},
	{2000000000, "279037"},
	{20000000000, "353130"},
}

func TestCheckVectors(t *testing.T) {
	t.Parallel()
	for _, tt := range vectors {
		step, ok := totp.Check(secret, tt.code, time.Unix(tt.unix, 0), 0)
		if !ok || step != tt.unix/30 {
			t.Errorf("Check(%q) at %d = %d, %v; want %d, true", tt.code, tt.unix, step, ok, tt.unix/30)
		}
	}
}

func TestCheckSkew(t *testing.T) {
	t.Parallel()
	const unix, step, code = 1234567890, 41152263, "005924" // the beginning of a step
	tests := []struct {
		name    string
		seconds int64
		ok      bool
	}{
		{"two steps early", -31, false},
		{"one step early", -30, true},
		{"in its step", 0, true},
		{"at the end of its step", 29, true},
		{"one step late", 30, true},
		{"at the end of the next step", 59, true},
		{"two steps late", 60, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := totp.Check(secret, code, time.Unix(unix+tt.seconds, 0), 0)
			if ok != tt.ok || ok && got != step {
				t.Errorf("Check = %d, %v; want %v", got, ok, tt.ok)
			}
		})
	}
}

// TestCheckReplay checks that no code is good twice, nor after a later one.
func TestCheckReplay(t *testing.T) {
	t.Parallel()
	now := time.Unix(1111111109, 0) // the next vector is of the next step
	first, ok := totp.Check(secret, "081804", now, 0)
	if !ok {
		t.Fatal("first use refused")
	}
	if _, ok := totp.Check(secret, "081804", now, first); ok {
		t.Error("second use accepted")
	}
	second, ok := totp.Check(secret, "050471", now, first)
	if !ok || second != first+1 {
		t.Errorf("next step: %d, %v; want %d, true", second, ok, first+1)
	}
	if _, ok := totp.Check(secret, "081804", now, second); ok {
		t.Error("earlier step accepted after a later one")
	}
}

func TestCheckForm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, code string
		ok         bool
	}{
		{"plain", "287082", true},
		{"in groups", " 287 082 ", true},
		{"no-break space", "287\u00a0082", true},
		{"empty", "", false},
		{"spaces", "      ", false},
		{"short", "28708", false},
		{"long", "2870820", false},
		{"eight digits", "94287082", false},
		{"wrong", "287083", false},
		{"letters", "28708Z", false},
		{"sign", "+28708", false},
		{"full width", "２８７０８２", false},
		{"Arabic digits", "٢٨٧٠٨٢", false},
		{"endless", strings.Repeat(" ", 1000) + "287082", false},
		{"no UTF-8", "28708\xff", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, ok := totp.Check(secret, tt.code, time.Unix(59, 0), 0); ok != tt.ok {
				t.Errorf("Check(%q) = %v; want %v", tt.code, ok, tt.ok)
			}
		})
	}
}

func TestCheckUnusable(t *testing.T) {
	t.Parallel()
	// 812658 and 617190 are what HOTP gives for no secret, and for 15 octets.
	for _, short := range [][]byte{nil, {}, secret[:15]} {
		for _, code := range []string{"812658", "617190", "287082"} {
			if _, ok := totp.Check(short, code, time.Unix(59, 0), 0); ok {
				t.Errorf("Check of a secret of %d octets accepts %s", len(short), code)
			}
		}
	}
	for _, now := range []time.Time{{}, time.Unix(-1000, 0), time.Unix(0, 0)} {
		if step, ok := totp.Check(secret, "287082", now, 0); ok && step < 1 {
			t.Errorf("Check at %v = %d, true", now, step)
		}
	}
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	a, err := totp.NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	b, err := totp.NewSecret()
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != totp.SecretLength || bytes.Equal(a, b) {
		t.Errorf("secrets of %d octets, equal: %v", len(a), bytes.Equal(a, b))
	}
}

func TestURI(t *testing.T) {
	t.Parallel()
	uri := totp.URI(secret, "Crypto: Exchange", "johny+escrow@example.com")
	want := "otpauth://totp/Crypto%20Exchange:johny%2Bescrow%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" +
		"&issuer=Crypto%20Exchange&algorithm=SHA1&digits=6&period=30"
	if diff := cmp.Diff(want, uri); diff != "" {
		t.Error(diff)
	}
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	back, err := base32.StdEncoding.DecodeString(u.Query().Get("secret"))
	if err != nil || !bytes.Equal(back, secret) {
		t.Errorf("secret in URI: %q, %v", back, err)
	}
	if diff := cmp.Diff("/Crypto Exchange:johny+escrow@example.com", u.Path); diff != "" {
		t.Error(diff)
	}
}

func TestQRCodePNG(t *testing.T) {
	t.Parallel()
	// The longest address that there can be (RFC 5321 §4.5.3.1).
	long := totp.URI(secret, "cryptoexchange.com", strings.Repeat("a", 64)+"@"+strings.Repeat("b", 185)+".com")
	for _, uri := range []string{totp.URI(secret, "cryptoexchange.com", "johny.smith@example.com"), long} {
		for _, size := range []int{128, 256, 999} {
			data, err := totp.QRCodePNG(uri, size)
			if err != nil {
				t.Fatal(err)
			}
			picture, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if b := picture.Bounds(); b.Dx() != size || b.Dy() != size {
				t.Errorf("%v; want sides of %d", b, size)
			}
			black := 0
			for x := range size {
				for y := range size {
					if r, _, _, _ := picture.At(x, y).RGBA(); r == 0 {
						black++
					}
				}
			}
			if share := float64(black) / float64(size*size); share < 0.05 || share > 0.6 {
				t.Errorf("%v of the picture is black", share)
			}
		}
	}
	for _, size := range []int{-1, 0, 127, 2049} {
		if _, err := totp.QRCodePNG(long, size); err == nil {
			t.Errorf("size %d accepted", size)
		}
	}
	for _, uri := range []string{"%zz", "otpauth://totp/" + strings.Repeat("a", 5000)} {
		if _, err := totp.QRCodePNG(uri, 256); err == nil || strings.Contains(err.Error(), uri) {
			t.Errorf("unusable URI: %v", err)
		}
	}
}

func TestNewRecoveryCodes(t *testing.T) {
	t.Parallel()
	codes, err := totp.NewRecoveryCodes()
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$`)
	hashes := make(map[string]bool)
	for _, code := range codes {
		hash, ok := totp.RecoveryHash(code)
		if !ok || !form.MatchString(code) {
			t.Errorf("%q has not the form of a recovery code", code)
		}
		hashes[string(hash)] = true
	}
	if len(codes) != totp.RecoveryCodes || len(hashes) != totp.RecoveryCodes {
		t.Errorf("%d codes, %d of them different", len(codes), len(hashes))
	}
}

func TestRecoveryHash(t *testing.T) {
	t.Parallel()
	want, ok := totp.RecoveryHash("7K2M-QX0V-9HTR-41BD")
	if !ok || len(want) != 32 {
		t.Fatalf("%x, %v", want, ok)
	}
	for _, same := range []string{"7k2mqx0v9htr41bd", " 7K2M QX0V\t9HTR 41BD\n", "7k2m–qxov—9htr‑4lbd", "7K2M-QXOV-9HTR-4IBD"} {
		got, ok := totp.RecoveryHash(same)
		if !ok || !bytes.Equal(got, want) {
			t.Errorf("RecoveryHash(%q) = %x, %v; want the same", same, got, ok)
		}
	}
	if other, ok := totp.RecoveryHash("7K2M-QX0V-9HTR-41BE"); !ok || bytes.Equal(other, want) {
		t.Error("another code has the same hash")
	}
	for _, garbage := range []string{
		"", "-", "7K2M-QX0V-9HTR", "7K2M-QX0V-9HTR-41BD-0000", "7K2M-QX0V-9HTR-41BU", "7K2M-QX0V-9HTR-41B\xff",
		"7K2M_QX0V_9HTR_41BD", "7K2M-QX0V-9HTR-41B\u0661", strings.Repeat("-", 200) + "7K2M-QX0V-9HTR-41BD",
	} {
		if hash, ok := totp.RecoveryHash(garbage); ok {
			t.Errorf("RecoveryHash(%q) = %x", garbage, hash)
		}
	}
}

// FuzzCheck checks that whatever is accepted is a code of a later step nearby.
func FuzzCheck(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.code, v.unix, int64(0))
	}
	f.Add("287 082", int64(59), int64(1))
	f.Fuzz(func(t *testing.T, code string, unix, last int64) {
		step, ok := totp.Check(secret, code, time.Unix(unix, 0), last)
		if ok && (step <= last || step < unix/30-1 || step > unix/30+1) {
			t.Errorf("Check(%q) at %d after %d = %d", code, unix, last, step)
		}
		if !ok && step != 0 {
			t.Errorf("step %d without a good code", step)
		}
		totp.RecoveryHash(code)
	})
}
