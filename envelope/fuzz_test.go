package envelope_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gopec/gopec/envelope"
	"github.com/gopec/gopec/internal/vectors"
)

// proof is what a proven message says.
type proof struct {
	data     *envelope.CertData
	original string
}

// judge holds genuine messages, what each says, and the verifier that proves them.
type judge struct {
	verifier *envelope.Verifier
	proofs   map[envelope.Digest]proof
	genuine  [][]byte
}

func newJudge(t testing.TB) *judge {
	t.Helper()
	j := &judge{proofs: map[envelope.Digest]proof{}}
	for _, v := range loadVectors(t) {
		if v.Grade == vectors.Invalid {
			continue
		}
		v.Legacy = true
		j.verifier = vectorVerifier(t, v)
		m, err := envelope.Open(context.Background(), bytes.NewReader(v.Message), j.verifier)
		require.NoError(t, err, v.Name)
		j.proofs[m.Digest] = proofOf(t, m)
		j.genuine = append(j.genuine, v.Message)
		require.NoError(t, m.Close())
	}
	require.NotEmpty(t, j.genuine)
	return j
}

func proofOf(t testing.TB, m *envelope.Message) proof {
	t.Helper()
	p := proof{data: m.CertData}
	if r, err := m.Original(); err == nil {
		var b bytes.Buffer
		_, err := b.ReadFrom(r)
		require.NoError(t, err)
		p.original = b.String()
	}
	return p
}

// accepts reports whether raw is proven. If it is, it must say exactly what the genuine
// message with the same Digest says. If not, the error must be a *VerifyError.
func (j *judge) accepts(t testing.TB, raw []byte) bool {
	t.Helper()
	m, err := envelope.Open(context.Background(), bytes.NewReader(raw), j.verifier)
	if err != nil {
		require.Nil(t, m)
		_, ok := errors.AsType[*envelope.VerifyError](err)
		require.True(t, ok, "%v", err)
		return false
	}
	defer m.Close()
	want, known := j.proofs[m.Digest]
	require.True(t, known, "a message nobody signed verifies")
	require.Equal(t, want, proofOf(t, m))
	return true
}

// Bytes are changed, removed, repeated and moved at random. Some mutants are still
// proven, and say the same as before.
func TestMutantsOfGenuineMessages(t *testing.T) {
	j := newJudge(t)
	random := rand.New(rand.NewPCG(3, 4))
	verified, mutants := 0, 0
	for _, genuine := range j.genuine {
		for range 200 {
			raw := slices.Clone(genuine)
			for range 1 + random.IntN(3) {
				raw = mutate(random, raw)
			}
			mutants++
			if !bytes.Equal(raw, genuine) && j.accepts(t, raw) {
				verified++
			}
		}
	}
	require.Positive(t, verified)
	t.Logf("%d of %d mutants verify, and say the same", verified, mutants)
}

func mutate(random *rand.Rand, raw []byte) []byte {
	if len(raw) == 0 {
		return raw
	}
	at := random.IntN(len(raw))
	end := at + random.IntN(min(64, len(raw)-at))
	switch random.IntN(6) {
	case 0:
		raw[at] ^= 1 << random.IntN(8)
		return raw
	case 1:
		return slices.Delete(raw, at, end)
	case 2:
		return slices.Insert(raw, at, slices.Clone(raw[at:end])...)
	case 3:
		return slices.Insert(raw, random.IntN(len(raw)), slices.Clone(raw[at:end])...)
	case 4:
		return slices.Insert(raw, at, []byte("\r\n")...)
	default:
		return slices.Concat(raw[:at], bytes.ReplaceAll(raw[at:end], []byte("\r\n"), []byte("\n")), raw[end:])
	}
}

// FuzzMessage is seeded with all vectors, genuine and forged.
func FuzzMessage(f *testing.F) {
	j := newJudge(f)
	for _, v := range loadVectors(f) {
		f.Add(v.Message)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { j.accepts(t, raw) })
}
