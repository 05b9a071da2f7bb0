// Package inbound opens what others send to a PEC mailbox: a PEC in its transport
// envelope (busta di trasporto), or ordinary mail in an anomaly envelope (busta di
// anomalia).
//
//	in, err := inbound.Open(message, arrived) // message is from envelope.Open
//	fmt.Println(in.Sender, in.Subject)        // certified
//	text, err := in.Text()                    // the sender's own
//	for file, err := range in.Attachments() {
//		... // file.SafeName, file.Form, file.Open()
//	}
//
// Package pec calls Open for you: Sync and Watch yield a Message as Event.Inbound.
//
// The sender's provider certifies who sent a PEC, to whom, its subject and when. The header,
// the text and the attachments are whatever the author wrote. They are proven to be
// unchanged since the provider signed the envelope, but nothing in them is proven to be
// true. Nothing in an anomaly is certified: anybody may have written it, under any name.
//
// Broken mail is not an error. It is read as far as possible, and a Defect beside the
// result says what is wrong. Names and texts may be made to deceive. Save an attachment
// under its SafeName or a name of your own, and do not show HTML as it stands.
//
// An anomaly may bring a bounce, which is all that is ever heard of an ordinary recipient:
// see Message.Bounce.
package inbound
