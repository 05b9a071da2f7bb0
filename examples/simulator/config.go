package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gopec/gopec/pec/pectest"
)

// config is the form of the file; config.example.json explains the fields.
type config struct {
	Start          string              `json:"start"`
	Speed          int                 `json:"speed"`
	SignByItsClock bool                `json:"signByItsClock"`
	Providers      []providerConfig    `json:"providers"`
	Fates          map[string]fateForm `json:"fates"`
}

type providerConfig struct {
	Name           string            `json:"name"`
	Domain         string            `json:"domain"`
	Accounts       []accountConfig   `json:"accounts"`
	RefuseAtSMTP   bool              `json:"refuseAtSMTP"`
	MaxProduct     int64             `json:"maxProduct"`
	CertifiedOnly  bool              `json:"certifiedOnly"`
	RefuseOrdinary bool              `json:"refuseOrdinary"`
	SendViruses    bool              `json:"sendViruses"`
	ReceiveViruses bool              `json:"receiveViruses"`
	Separator      string            `json:"separator"`
	Sent           string            `json:"sent"`
	SaveSent       bool              `json:"saveSent"`
	Folders        []string          `json:"folders"`
	BriefHash      pectest.BriefHash `json:"briefHash"`
	Style          styleForm         `json:"style"`
	PasswordLife   duration          `json:"passwordLife"`
	LockAfter      int               `json:"lockAfter"`
	MaxPerMinute   int               `json:"maxPerMinute"`
}

type accountConfig struct {
	Address  string `json:"address"`
	Login    string `json:"login"`
	Password string `json:"password"`
	Quota    int64  `json:"quota"`
	Keep     int    `json:"keep"`
}

// styleForm is a pectest.Style in JSON.
type styleForm struct {
	Engine        pectest.Engine      `json:"engine"`
	SHA1          bool                `json:"sha1"`
	BER           bool                `json:"ber"`
	HTML          bool                `json:"html"`
	ShortType     bool                `json:"shortType"`
	OriginalFirst bool                `json:"originalFirst"`
	OddHeaderCase bool                `json:"oddHeaderCase"`
	OwnWording    bool                `json:"ownWording"`
	FoldIDs       bool                `json:"foldIDs"`
	ExtraPart     bool                `json:"extraPart"`
	Certificate   pectest.Certificate `json:"certificate"`
	Malformed     pectest.Malformed   `json:"malformed"`
}

// The allowed words in a configuration.
var (
	engines      = []pectest.Engine{pectest.EngineAruba, pectest.EngineInfoCert}
	certificates = []pectest.Certificate{
		pectest.CertificateGood, pectest.CertificateExpired, pectest.CertificateOtherAddress, pectest.CertificateForeignCA,
	}
	hashes = []pectest.BriefHash{
		pectest.BriefHashDecoded, pectest.BriefHashEncoded, pectest.BriefHashEncodedLine, pectest.BriefHashEncodedLF, pectest.BriefHashEncodedLFLine,
	}
	malformed = []pectest.Malformed{
		pectest.MalformedChanged, pectest.MalformedRewrapped, pectest.MalformedTruncated, pectest.MalformedUnsigned, pectest.MalformedNoData,
		pectest.MalformedTwoData, pectest.MalformedData, pectest.MalformedKind, pectest.MalformedReference, pectest.MalformedLF,
	}
)

// checkWord returns an error unless word is "" or in the list.
func checkWord[W ~string](list []W, word W) error {
	if word == "" || slices.Contains(list, word) {
		return nil
	}
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return fmt.Errorf("%q is not one of %s", word, strings.Join(words, ", "))
}

func (f styleForm) style() (pectest.Style, error) {
	err := cmp.Or(checkWord(engines, f.Engine), checkWord(certificates, f.Certificate), checkWord(malformed, f.Malformed))
	if err != nil {
		return pectest.Style{}, err
	}
	return pectest.Style{
		Engine: f.Engine, SHA1: f.SHA1, BER: f.BER, HTML: f.HTML, ShortType: f.ShortType, OriginalFirst: f.OriginalFirst,
		OddHeaderCase: f.OddHeaderCase, OwnWording: f.OwnWording, FoldIDs: f.FoldIDs, ExtraPart: f.ExtraPart,
		Certificate: f.Certificate, Malformed: f.Malformed,
	}, nil
}

// fateForm is a pectest.Fate in JSON.
type fateForm struct {
	Transit        duration      `json:"transit"`
	Handling       duration      `json:"handling"`
	Error          string        `json:"errore"`
	ErrorText      string        `json:"errorText"`
	FirstDelayText string        `json:"firstDelayText"`
	LastDelayText  string        `json:"lastDelayText"`
	NoDelays       bool          `json:"noDelays"`
	Missing        []string      `json:"missing"`
	Copies         []postingForm `json:"copies"`
	Reply          string        `json:"reply"`
}

type postingForm struct {
	After    duration `json:"after"`
	Last     bool     `json:"last"`
	Folder   string   `json:"folder"`
	Resigned bool     `json:"resigned"`
}

func (f fateForm) fate() pectest.Fate {
	out := pectest.Fate{
		Transit: time.Duration(f.Transit), Handling: time.Duration(f.Handling), Error: f.Error, ErrorText: f.ErrorText,
		FirstDelayText: f.FirstDelayText, LastDelayText: f.LastDelayText, NoDelays: f.NoDelays, Missing: f.Missing, Reply: f.Reply,
	}
	for _, c := range f.Copies {
		out.Copies = append(out.Copies, pectest.Posting{After: time.Duration(c.After), Last: c.Last, Folder: c.Folder, Resigned: c.Resigned})
	}
	return out
}

// duration is in Go's form, such as "12h30m", or "never".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	if string(text) == "never" {
		*d = duration(pectest.Never)
		return nil
	}
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

// settings is the content of the file in the types of pectest.
type settings struct {
	options pectest.Options
	fates   map[string]pectest.Fate
}

// readConfig reads the file; "" means the default network.
func readConfig(file string) (settings, error) {
	if file == "" {
		return settings{options: pectest.Options{MachineSigningTime: true}}, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return settings{}, err
	}
	var c config
	if err := decode(uncomment(raw), &c); err != nil {
		return settings{}, fmt.Errorf("%s: %w", file, err)
	}
	out := settings{
		options: pectest.Options{Speed: c.Speed, MachineSigningTime: !c.SignByItsClock},
		fates:   make(map[string]pectest.Fate),
	}
	if out.options.Start, err = parseStart(c.Start); err != nil {
		return settings{}, fmt.Errorf("%s: start: %w", file, err)
	}
	for address, form := range c.Fates {
		out.fates[address] = form.fate()
	}
	for _, p := range c.Providers {
		o, err := p.options()
		if err != nil {
			return settings{}, fmt.Errorf("%s: %s: %w", file, p.Domain, err)
		}
		out.options.Providers = append(out.options.Providers, o)
	}
	return out, nil
}

func (p providerConfig) options() (pectest.ProviderOptions, error) {
	style, err := p.Style.style()
	if err != nil {
		return pectest.ProviderOptions{}, err
	}
	if err := checkWord(hashes, p.BriefHash); err != nil {
		return pectest.ProviderOptions{}, err
	}
	out := pectest.ProviderOptions{
		Name: p.Name, Domain: p.Domain, RefuseAtSMTP: p.RefuseAtSMTP, MaxProduct: p.MaxProduct, CertifiedOnly: p.CertifiedOnly,
		RefuseOrdinary: p.RefuseOrdinary, SendViruses: p.SendViruses, ReceiveViruses: p.ReceiveViruses, Sent: p.Sent, SaveSent: p.SaveSent,
		Folders: p.Folders, PasswordLife: time.Duration(p.PasswordLife), LockAfter: p.LockAfter, MaxPerMinute: p.MaxPerMinute, Style: style, BriefHash: p.BriefHash,
	}
	for _, r := range p.Separator {
		out.Separator = r
		break
	}
	for _, a := range p.Accounts {
		out.Accounts = append(out.Accounts, pectest.Account(a))
	}
	return out, nil
}

// parseStart reads a time, or a duration from now.
func parseStart(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return time.Now().Add(d), nil
	}
	return time.Parse(time.RFC3339, s)
}

// uncomment empties the lines that begin with //, so that line numbers in errors stay right.
func uncomment(raw []byte) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(strings.TrimSpace(line), "//") {
			line = "\n"
		}
		out.WriteString(line)
	}
	return out.Bytes()
}

func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
