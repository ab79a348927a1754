package totp

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"github.com/pquerna/otp"
)

// Bounds of a QR code's sides in pixels. The lower one leaves at least one pixel
// to each module of the densest code that an otpauth URI makes in practice.
const (
	minQRSize = 128
	maxQRSize = 2048
)

// ErrQRSize is returned for a size that is not between 128 and 2048 pixels.
var ErrQRSize = errors.New("size of QR code out of range")

// errQRCode stands for causes that quote the URI, and so the secret.
var errQRCode = errors.New("draw QR code: not a URI, or too long a one")

// QRCodePNG draws an otpauth URI as a QR code: a square PNG image with sides of
// size pixels, in black on white with a white border. ISO/IEC 18004 asks for a
// border of four modules; a tenth on each side is more than that for every URI
// that [URI] makes. It returns [ErrQRSize], or another error if the URI does
// not fit.
func QRCodePNG(uri string, size int) ([]byte, error) {
	if size < minQRSize || size > maxQRSize {
		return nil, ErrQRSize
	}
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		return nil, errQRCode
	}
	border := size / 10
	code, err := key.Image(size-2*border, size-2*border)
	if err != nil {
		return nil, errQRCode
	}
	picture := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	draw.Draw(picture, code.Bounds().Add(image.Pt(border, border)), code, image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("draw QR code: %w", err)
	}
	return out.Bytes(), nil
}
