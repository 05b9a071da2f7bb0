package pec

// Warning is something that a sender should know about a message that can be sent. The
// set is closed.
type Warning string

// The warnings.
const (
	WarningCc            Warning = "cc"             // delivery receipts of Cc recipients carry no content: RFC 6109, 3.3.2
	WarningLongSubject   Warning = "long-subject"   // more than 250 characters: providers do not say how many they accept
	WarningOtherReceipts Warning = "other-receipts" // a raw message asks for receipts of ordinary mail, which come back as anomalies
)
