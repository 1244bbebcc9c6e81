// verify_log verifies a log's folder (checkpoint, tile/, log.vkey) with golang.org/x/mod/sumdb, which Raakvlak
// does not use: a second opinion on docs/format/log.md. It shares no code with Raakvlak.
//
//	verify_log FOLDER [WITNESS_VKEY...]
//
// Every entry is hashed, every tile at every level compared, the root compared with the checkpoint, whose
// signature is verified, as are the cosignatures of the witnesses named, which must all be there. Prints size and
// root, or the place of the first fault; exit code 1 then, 2 for wrong usage.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const width = 256

// fault is a place in the folder and what is wrong there.
func fault(path, format string, args ...any) error {
	return fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
}

// cosignature is the verifier of a witness (C2SP tlog-cosignature, key type 04), which sumdb/note does not have.
type cosignature struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func parseWitness(vkey string) (*cosignature, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not a witness key: " + vkey)
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 0x04 {
		return nil, errors.New("not a witness key of type 04: " + vkey)
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if fmt.Sprintf("%08x", binary.BigEndian.Uint32(sum[:])) != parts[1] {
		return nil, errors.New("a witness key with a wrong hash: " + vkey)
	}
	return &cosignature{parts[0], binary.BigEndian.Uint32(sum[:]), ed25519.PublicKey(key[1:])}, nil
}

func (c *cosignature) Name() string    { return c.name }
func (c *cosignature) KeyHash() uint32 { return c.hash }
func (c *cosignature) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

type log struct {
	folder string
	size   int64
	root   tlog.Hash
	times  []string
	// The encoded entries, and the hashes as sumdb stores them.
	entries [][]byte
	hashes  []tlog.Hash
}

func (l *log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(l.hashes)) {
			return nil, errors.New("hash out of range")
		}
		out[i] = l.hashes[index]
	}
	return out, nil
}

func (l *log) openCheckpoint(witnesses []string) error {
	vkey, err := os.ReadFile(filepath.Join(l.folder, "log.vkey"))
	if err != nil {
		return fault("log.vkey", "%v", err)
	}
	if !strings.HasSuffix(string(vkey), "\n") {
		return fault("log.vkey", "not one line")
	}
	verifier, err := note.NewVerifier(strings.TrimSuffix(string(vkey), "\n"))
	if err != nil {
		return fault("log.vkey", "%v", err)
	}
	// NewVerifier takes capitals too: then a file could be changed unseen.
	if !strings.HasPrefix(string(vkey), fmt.Sprintf("%s+%08x+", verifier.Name(), verifier.KeyHash())) {
		return fault("log.vkey", "the key's hash is not in small letters")
	}
	verifiers := []note.Verifier{verifier}
	for _, vkey := range witnesses {
		witness, err := parseWitness(vkey)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, witness)
	}
	content, err := os.ReadFile(filepath.Join(l.folder, "checkpoint"))
	if err != nil {
		return fault("checkpoint", "%v", err)
	}
	opened, err := note.Open(content, note.VerifierList(verifiers...))
	if err != nil {
		return fault("checkpoint", "%v", err)
	}
	signed := map[string]string{}
	for _, sig := range opened.Sigs {
		blob, _ := base64.StdEncoding.DecodeString(sig.Base64)
		signed[fmt.Sprintf("%s %08x", sig.Name, sig.Hash)] = string(blob)
	}
	for _, v := range verifiers {
		blob, ok := signed[fmt.Sprintf("%s %08x", v.Name(), v.KeyHash())]
		if !ok {
			return fault("checkpoint", "not signed by %s", v.Name())
		}
		if _, ok := v.(*cosignature); ok {
			l.times = append(l.times, fmt.Sprintf("cosigned %s %d", v.Name(), binary.BigEndian.Uint64([]byte(blob)[4:])))
		}
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return fault("checkpoint", "not three lines")
	}
	if lines[0] != verifier.Name() {
		return fault("checkpoint", "another origin than the name of its key")
	}
	l.size, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || l.size < 0 || strconv.FormatInt(l.size, 10) != lines[1] {
		return fault("checkpoint", "not a size")
	}
	l.root, err = tlog.ParseHash(lines[2])
	if err != nil || l.root.String() != lines[2] {
		return fault("checkpoint", "not a root")
	}
	return nil
}

// tilePath is the path of C2SP tlog-tiles: level -1 for the entries.
func tilePath(level int, n int64, w int) string {
	index := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		index = fmt.Sprintf("x%03d/%s", n%1000, index)
	}
	name := "entries"
	if level >= 0 {
		name = strconv.Itoa(level)
	}
	path := "tile/" + name + "/" + index
	if w != width {
		path += fmt.Sprintf(".p/%d", w)
	}
	return path
}

var tileName = regexp.MustCompile(`^tile/(entries|\d+)/((?:x\d{3}/)*\d{3})(?:\.p/(\d+))?$`)

func parsePath(path string) (level int, n int64, w int, ok bool) {
	match := tileName.FindStringSubmatch(path)
	if match == nil {
		return 0, 0, 0, false
	}
	level, w = -1, width
	if match[1] != "entries" {
		level, _ = strconv.Atoi(match[1])
	}
	n, _ = strconv.ParseInt(strings.NewReplacer("x", "", "/", "").Replace(match[2]), 10, 64)
	if match[3] != "" {
		w, _ = strconv.Atoi(match[3])
	}
	return level, n, w, tilePath(level, n, w) == path
}

// read returns the first w elements' file: that width, or the full tile that took its place.
func (l *log) read(level int, n int64, w int) (string, []byte, error) {
	path := tilePath(level, n, w)
	content, err := os.ReadFile(filepath.Join(l.folder, path))
	if errors.Is(err, fs.ErrNotExist) && w != width {
		full := tilePath(level, n, width)
		if content, fullErr := os.ReadFile(filepath.Join(l.folder, full)); fullErr == nil {
			return full, content, nil
		}
	}
	return path, content, err
}

// split takes up to w entries off a bundle, each with its length.
func split(bundle []byte, w int) (entries [][]byte, rest []byte) {
	for len(entries) < w && len(bundle) >= 2 {
		size := 2 + int(binary.BigEndian.Uint16(bundle))
		if len(bundle) < size {
			break
		}
		entries = append(entries, bundle[:size])
		bundle = bundle[size:]
	}
	return entries, bundle
}

// doubtful returns the first of the entries from `first` on that its tile does not confirm.
func (l *log) doubtful(first int64, entries [][]byte, w int) int64 {
	_, tile, _ := l.read(0, first/width, w)
	for i, entry := range entries {
		hash := tlog.RecordHash(entry[2:])
		if len(tile) < (i+1)*tlog.HashSize || !bytes.Equal(hash[:], tile[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
			return first + int64(i)
		}
	}
	return first + int64(len(entries))
}

func (l *log) hashEntries() error {
	for first := int64(0); first < l.size; first += width {
		w := width
		if l.size-first < width {
			w = int(l.size - first)
		}
		path, bundle, err := l.read(-1, first/width, w)
		if err != nil {
			return fault(path, "entry %d: %v", first, err)
		}
		entries, rest := split(bundle, w)
		if len(entries) != w || (path == tilePath(-1, first/width, w) && len(rest) != 0) {
			return fault(path, "entry %d: not %d entries", l.doubtful(first, entries, w), w)
		}
		for _, entry := range entries {
			number := int64(len(l.entries))
			stored, err := tlog.StoredHashesForRecordHash(number, tlog.RecordHash(entry[2:]), l)
			if err != nil {
				return err
			}
			l.entries = append(l.entries, entry)
			l.hashes = append(l.hashes, stored...)
		}
	}
	return nil
}

// want is what the file of a tile must hold, by the entries.
func (l *log) want(level int, n int64, w int) ([]byte, error) {
	if level < 0 {
		return bytes.Join(l.entries[n*width:n*width+int64(w)], nil), nil
	}
	return tlog.ReadTileData(tlog.Tile{H: 8, L: level, N: n, W: w}, l)
}

// lastTiles lists the tiles of hashes that a tree needs: the full ones and the last of each level.
func lastTiles(size int64) (tiles []tlog.Tile) {
	for level := 0; size > 0; level++ {
		for n := int64(0); n*width < size; n++ {
			w := width
			if size-n*width < width {
				w = int(size - n*width)
			}
			tiles = append(tiles, tlog.Tile{H: 8, L: level, N: n, W: w})
		}
		size /= width
	}
	return tiles
}

// compareTiles returns the first tile that is not as the entries make it, and whether its bytes are at fault.
func (l *log) compareTiles() (string, int64, error) {
	for _, tile := range lastTiles(l.size) {
		path, got, err := l.read(tile.L, tile.N, tile.W)
		if err != nil {
			return path, tile.N * width << (8 * tile.L), err
		}
		want, err := l.want(tile.L, tile.N, tile.W)
		if err != nil {
			return path, 0, err
		}
		if len(got)%tlog.HashSize != 0 || (len(got) != len(want) && path == tilePath(tile.L, tile.N, tile.W)) {
			return path, tile.N * width << (8 * tile.L), errors.New("not as many hashes as its name says")
		}
		for i := 0; i+tlog.HashSize <= len(want); i += tlog.HashSize {
			if len(got) < i+tlog.HashSize || !bytes.Equal(got[i:i+tlog.HashSize], want[i:i+tlog.HashSize]) {
				element := tile.N*width + int64(i/tlog.HashSize)
				return path, element << (8 * tile.L), errors.New("not what the entries make")
			}
		}
	}
	return "", 0, nil
}

// compareRest looks at the files that compareTiles had no need of, such as partial tiles of earlier sizes.
func (l *log) compareRest() error {
	return filepath.WalkDir(filepath.Join(l.folder, "tile"), func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && l.size == 0 {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		path, err := filepath.Rel(l.folder, name)
		if err != nil {
			return err
		}
		level, n, w, ok := parsePath(path)
		// The log goes on growing: what lies beyond the checkpoint is another checkpoint's affair.
		if !ok || level > 7 || (n*width+int64(w)) > l.size>>(8*max(level, 0)) {
			return nil
		}
		got, err := os.ReadFile(name)
		if err != nil {
			return fault(path, "%v", err)
		}
		want, err := l.want(level, n, w)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			return fault(path, "not what the entries make")
		}
		return nil
	})
}

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

func verify(folder string, witnesses []string) (*log, error) {
	l := &log{folder: folder}
	if err := l.openCheckpoint(witnesses); err != nil {
		return nil, err
	}
	if err := l.hashEntries(); err != nil {
		return nil, err
	}
	root := tlog.Hash(sha256.Sum256(nil))
	if l.size > 0 {
		var err error
		if root, err = tlog.TreeHash(l.size, l); err != nil {
			return nil, err
		}
	}
	path, index, err := l.compareTiles()
	switch {
	case err != nil && root == l.root:
		return nil, fault(path, "entry %d: %v", index, err)
	case err != nil && strings.HasPrefix(path, "tile/0/"):
		// The entries do not lead to the signed root, so they are to blame rather than the tile.
		_, n, w, _ := parsePath(path)
		entries, _, _ := l.read(-1, n, w)
		return nil, fault(entries, "entry %d: neither its tile nor the signed root confirms it", index)
	case err != nil:
		return nil, fault(path, "entry %d: %v, and the entries do not lead to the signed root", index, err)
	case root != l.root:
		return nil, fault("checkpoint", "the entries and tiles do not lead to its root")
	}
	return l, l.compareRest()
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: verify_log FOLDER [WITNESS_VKEY...]")
		os.Exit(2)
	}
	l, err := verify(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "fault:", err)
		os.Exit(1)
	}
	fmt.Printf("size %d\nroot %s\n", l.size, l.root)
	for _, line := range l.times {
		fmt.Println(line)
	}
}
