package keyset

import (
	"os"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	tinkkeyset "github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// handles are both sets, as Tink has them.
type handles struct{ aead, prf *tinkkeyset.Handle }

// withNewKeys gives both sets with one more key each, which is the primary one.
func (h handles) withNewKeys() (handles, error) {
	a, err := withNewKey(h.aead, aead.AES256GCMKeyTemplate(), ids(h.prf))
	if err != nil {
		return handles{}, err
	}
	p, err := withNewKey(h.prf, prf.HMACSHA256PRFKeyTemplate(), ids(a))
	if err != nil {
		return handles{}, err
	}
	return handles{a, p}, nil
}

// withNewKey adds a primary key to a set, or makes a set of it if there is none.
// Tink sees to it that IDs differ in one set; those of the other are taken too.
func withNewKey(set *tinkkeyset.Handle, template *tinkpb.KeyTemplate, taken []uint32) (*tinkkeyset.Handle, error) {
	for {
		manager := tinkkeyset.NewManager()
		if set != nil {
			manager = tinkkeyset.NewManagerFromHandle(set)
		}
		id, err := manager.Add(template)
		if err != nil {
			return nil, err
		}
		if slices.Contains(taken, id) {
			continue // IDs are random
		}
		if err := manager.SetPrimary(id); err != nil {
			return nil, err
		}
		return manager.Handle()
	}
}

// ids lists the IDs of the keys of a set that can be used.
func ids(set *tinkkeyset.Handle) []uint32 {
	var out []uint32
	for i := range set.Len() {
		if entry, err := set.Entry(i); err == nil && entry.KeyStatus() == tinkkeyset.Enabled {
			out = append(out, entry.KeyID())
		}
	}
	return out
}

// snapshot is the keys of a file at one moment. It does not change.
type snapshot struct {
	handles     handles
	info        os.FileInfo // of the file that it is from; nil if it is from none
	aead        tink.AEAD
	prfs        *prf.Set
	primaryAEAD uint32
	aeadIDs     []uint32
	ids         []uint32 // of both sets, ascending
}

func newSnapshot(h handles, info os.FileInfo) (*snapshot, error) {
	a, err := aead.New(h.aead)
	if err != nil {
		return nil, err
	}
	p, err := prf.NewPRFSet(h.prf)
	if err != nil {
		return nil, err
	}
	primary, err := h.aead.Primary()
	if err != nil {
		return nil, err
	}
	s := &snapshot{handles: h, info: info, aead: a, prfs: p, primaryAEAD: primary.KeyID(), aeadIDs: ids(h.aead)}
	s.ids = slices.Sorted(slices.Values(slices.Concat(s.aeadIDs, ids(h.prf))))
	return s, nil
}

// isFrom tells whether a file is the one that this was read from, unchanged.
func (s *snapshot) isFrom(info os.FileInfo) bool {
	return os.SameFile(s.info, info) && s.info.Size() == info.Size() && s.info.ModTime().Equal(info.ModTime())
}

func (s *snapshot) has(id uint32) bool {
	_, found := slices.BinarySearch(s.ids, id)
	return found
}
