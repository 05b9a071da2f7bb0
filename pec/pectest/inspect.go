package pectest

import (
	"fmt"

	"github.com/emersion/go-smtp"
)

// refusal is the reason why the access point does not accept a message.
type refusal struct {
	errore string
	text   string // for errore-esteso
	smtp   *smtp.SMTPError
}

// inspect makes the checks of the access point (RFC 6109, 3.1.1 to 3.1.3). It returns nil
// when the message is accepted.
func (p *Provider) inspect(s submission) *refusal {
	m := parseEntity(s.raw)
	refuse := func(errore, text string, code int, enhanced smtp.EnhancedCode) *refusal {
		return &refusal{errore, text, &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}}
	}
	if err := check(m, s.from, s.to); err != nil {
		return refuse("altro", err.Error(), 554, smtp.EnhancedCode{5, 6, 0})
	}
	if product := int64(len(s.raw)) * int64(len(s.to)); product > p.opts.MaxProduct {
		return refuse("altro", fmt.Sprintf("dimensione per numero di destinatari: %d byte, il limite è %d", product, p.opts.MaxProduct),
			552, smtp.EnhancedCode{5, 3, 4})
	}
	if p.opts.CertifiedOnly {
		for _, address := range s.to {
			if p.network.ProviderOf(address) == nil {
				return refuse("altro", fmt.Sprintf("il dominio %s può spedire solamente verso domini di posta elettronica certificata, l'indirizzo %s è stato rifiutato",
					p.domain, address), 550, smtp.EnhancedCode{5, 7, 1})
			}
		}
	}
	if !p.opts.SendViruses && infected(m) {
		return refuse("virus", eicarName, 554, smtp.EnhancedCode{5, 7, 1})
	}
	return nil
}
