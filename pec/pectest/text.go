package pectest

import (
	"fmt"
	"strings"
)

// subjectPrefix returns the text before the original's subject (RFC 6109, 3.1 to 3.3).
func (n Notice) subjectPrefix() string {
	virus := n.Error == "virus"
	switch n.Kind {
	case KindAcceptance:
		return "ACCETTAZIONE: "
	case KindNonAcceptance:
		if virus {
			return "AVVISO DI NON ACCETTAZIONE PER VIRUS: "
		}
		return "AVVISO DI NON ACCETTAZIONE: "
	case KindTransport:
		return "POSTA CERTIFICATA: "
	case KindAnomaly:
		return "ANOMALIA MESSAGGIO: "
	case KindTakeInCharge:
		return "PRESA IN CARICO: "
	case KindDelivery:
		return "CONSEGNA: "
	case KindNonDelivery:
		if virus {
			return "AVVISO DI MANCATA CONSEGNA PER VIRUS: "
		}
		return "AVVISO DI MANCATA CONSEGNA: "
	case KindDeliveryDelay:
		return "AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO: "
	case KindVirusDetection:
		return "PROBLEMA DI SICUREZZA: "
	default:
		return strings.ToUpper(n.Kind) + ": "
	}
}

// text returns the readable part (RFC 6109, 3.1 to 3.3, in the Italian wording):
// title, sentence, identifier. Nobody may parse it.
func (n Notice) text() string {
	// RFC 6109, 4.1: one instant for text, data and header.
	when := n.Time.Format("Il giorno 02/01/2006 alle ore 15:04:05 (-0700)")
	from := fmt.Sprintf(`messaggio "%s" proveniente da "%s"`, n.Subject, n.Sender)
	switch n.Kind {
	case KindAcceptance:
		return n.page("Ricevuta di accettazione",
			when+" il "+from, "ed indirizzato a:", n.recipientLines(true),
			"è stato accettato dal sistema ed inoltrato.")
	case KindNonAcceptance:
		title, problem := "Errore nell'accettazione del messaggio", "un problema che ne impedisce l'accettazione a causa di "+n.ErrorText
		if n.Error == "virus" {
			title, problem = title+" per presenza di virus", "un problema di sicurezza "+n.ErrorText
		}
		return n.page(title, when+" nel "+from, "ed indirizzato a:", n.recipientLines(false),
			"è stato rilevato "+problem+".", "Il messaggio non è stato accettato.")
	case KindTransport:
		return n.page("Messaggio di posta certificata",
			fmt.Sprintf(`%s il messaggio "%s" è stato inviato da "%s"`, when, n.Subject, n.Sender),
			"indirizzato a:", n.recipientLines(false), "Il messaggio originale è incluso in allegato.")
	case KindAnomaly:
		return strings.Join([]string{"Anomalia nel messaggio\n", fmt.Sprintf(`%s è stato ricevuto`, when), "il " + from,
			"ed indirizzato a:", n.recipientLines(false), "Tali dati non sono stati certificati per il seguente errore:",
			n.ErrorText, "Il messaggio originale è incluso in allegato.", ""}, "\n")
	case KindTakeInCharge:
		return n.page("Ricevuta di presa in carico",
			when+" il "+from, "ed indirizzato a:", strings.Join(n.TakenInCharge, "\n"), "è stato accettato dal sistema.")
	case KindDelivery:
		return n.page(n.deliveryTitle(), when+" il "+from,
			fmt.Sprintf(`ed indirizzato a "%s"`, n.Delivered), "è stato consegnato nella casella di destinazione.")
	case KindNonDelivery:
		if n.Error == "virus" {
			return n.page("Avviso di mancata consegna per virus", when+" nel "+from, n.destined(),
				"è stato rilevato un problema di sicurezza "+n.ErrorText+".", "Il messaggio non è stato consegnato.")
		}
		return n.page("Avviso di mancata consegna", when+" nel "+from, n.destined(),
			"è stato rilevato un errore "+n.ErrorText+".", "Il messaggio è stato rifiutato dal sistema.")
	case KindDeliveryDelay:
		return n.page("Avviso di mancata consegna", when+" il "+from, n.destined(),
			"non è stato consegnato: "+n.ErrorText+".")
	case KindVirusDetection:
		return n.page("Avviso di rilevazione virus informatico", when+" nel "+from, n.destined(),
			"è stato rilevato un problema di sicurezza "+n.ErrorText+".")
	default:
		return n.page("Avviso", when+" il "+from)
	}
}

// deliveryTitle returns the title for the kind that a delivery notice really is. For a
// recipient in Cc it is concise, whatever the sender asked for (RFC 6109, 3.3.2.1).
func (n Notice) deliveryTitle() string {
	switch {
	case n.Original == nil:
		return "Ricevuta sintetica di avvenuta consegna"
	case n.ReceiptKind == ReceiptBrief:
		return "Ricevuta breve di avvenuta consegna"
	default:
		return "Ricevuta di avvenuta consegna"
	}
}

func (n Notice) destined() string {
	return fmt.Sprintf(`e destinato all'utente "%s"`, n.Delivered)
}

func (n Notice) recipientLines(withClass bool) string {
	lines := make([]string, len(n.Recipients))
	for i, r := range n.Recipients {
		lines[i] = r.Address
		switch {
		case withClass && r.Type == RecipientOrdinary:
			lines[i] += ` ("posta ordinaria")`
		case withClass:
			lines[i] += ` ("posta certificata")`
		}
	}
	return strings.Join(lines, "\n")
}

// ownWording turns the wording of the rules into Aruba's.
func (n Notice) ownWording(text string) string {
	title, rest, _ := strings.Cut(text, "\n")
	if n.Delivered != "" {
		title += fmt.Sprintf(` del messaggio indirizzato a %s "posta certificata"`, n.Delivered)
	}
	return "-- " + title + " --\n" + strings.NewReplacer(
		`messaggio "`+n.Subject+`" proveniente da`, "messaggio con Oggetto\n\""+n.Subject+`" inviato da`,
		"Identificativo messaggio:", "Identificativo del messaggio:",
	).Replace(rest) + "L'allegato daticert.xml contiene informazioni di servizio sulla trasmissione\n"
}

func (n Notice) page(title string, lines ...string) string {
	return title + "\n\n" + strings.Join(lines, "\n") + "\nIdentificativo messaggio: " + n.CertID + "\n"
}
