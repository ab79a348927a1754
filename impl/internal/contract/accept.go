package contract

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// acceptable checks the Accept header against what the operation answers with
// if all goes well. Problems are sent whether they are accepted or not.
func acceptable(r *http.Request, produces []string) error {
	given := r.Header["Accept"]
	if len(given) == 0 || len(produces) == 0 || len(given) == 1 && (given[0] == "*/*" || given[0] == produces[0]) {
		return nil
	}
	ranges := acceptRanges(given)
	if len(ranges) == 0 {
		return nil
	}
	for _, mediaType := range produces {
		mediaType, _, _ = strings.Cut(mediaType, ";")
		if strings.Contains(mediaType, "*") || quality(ranges, mediaType) > 0 {
			return nil
		}
	}
	return &RequestError{Kind: NotAcceptable, Detail: "The answer is " + strings.Join(produces, " or ") + ". Name it in Accept, or leave Accept out."}
}

// acceptRange is one media range of an Accept header.
type acceptRange struct {
	mediaType string
	quality   float64
}

// acceptRanges reads Accept headers (RFC 9110 §12.5.1) as clients write them.
// Ranges that cannot be read say nothing, and are left out; the * of old Java
// clients is */*. Parameters other than q are ignored: what the contract
// declares has no variants that they could choose between.
func acceptRanges(headers []string) []acceptRange {
	var ranges []acceptRange
	for element := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		mediaType, parameters, err := mime.ParseMediaType(element)
		if err != nil {
			continue
		}
		if mediaType == "*" {
			mediaType = "*/*"
		}
		r := acceptRange{mediaType, 1}
		if q, given := parameters["q"]; given {
			r.quality, err = strconv.ParseFloat(q, 64)
			if err != nil || !(r.quality >= 0 && r.quality <= 1) { // NaN is neither
				continue
			}
		}
		if strings.Contains(mediaType, "/") {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// quality is that of the most specific range which a media type is in; 0 if it
// is in none.
func quality(ranges []acceptRange, mediaType string) float64 {
	kind, _, _ := strings.Cut(mediaType, "/")
	for _, candidate := range []string{mediaType, kind + "/*", "*/*"} {
		for _, r := range ranges {
			if r.mediaType == candidate {
				return r.quality
			}
		}
	}
	return 0
}
