CREATE TABLE pec_entries (
	id      INTEGER PRIMARY KEY,
	mailbox TEXT    NOT NULL,
	place   INTEGER NOT NULL, -- of the append in the mailbox, from 1
	n       INTEGER NOT NULL, -- of the entry in its append
	key     TEXT    NOT NULL,
	send    TEXT    NOT NULL,
	at      TEXT    NOT NULL, -- RFC 3339, UTC
	data    BLOB    NOT NULL,
	UNIQUE (mailbox, key),
	UNIQUE (mailbox, place, n)
) STRICT;

CREATE INDEX pec_entries_send ON pec_entries (mailbox, send, place, n);

CREATE TABLE pec_raws (
	entry  INTEGER PRIMARY KEY,
	size   INTEGER NOT NULL,
	sha256 BLOB    NOT NULL
) STRICT;

CREATE TABLE pec_chunks (
	entry INTEGER NOT NULL,
	n     INTEGER NOT NULL, -- from 0
	data  BLOB    NOT NULL,
	PRIMARY KEY (entry, n)
) STRICT;

CREATE TABLE pec_sends (
	mailbox    TEXT    NOT NULL,
	send       TEXT    NOT NULL,
	place      INTEGER NOT NULL, -- of the first entry
	n          INTEGER NOT NULL,
	entries    INTEGER NOT NULL, -- how many there are
	summarized INTEGER NOT NULL DEFAULT 0, -- how many the summary counts; times are microseconds since 1970
	begun      INTEGER NOT NULL DEFAULT 0,
	open       INTEGER NOT NULL DEFAULT 0,
	uncertain  INTEGER NOT NULL DEFAULT 0,
	failed     INTEGER NOT NULL DEFAULT 0,
	unverified INTEGER NOT NULL DEFAULT 0,
	due_at     INTEGER,
	overdue_at INTEGER,
	confirm_by INTEGER,
	PRIMARY KEY (mailbox, send)
) STRICT, WITHOUT ROWID;

CREATE INDEX pec_sends_place ON pec_sends (mailbox, place, n);
CREATE INDEX pec_sends_begun ON pec_sends (mailbox, begun);
CREATE INDEX pec_sends_stale ON pec_sends (mailbox, place, n) WHERE entries > summarized;
CREATE INDEX pec_sends_open ON pec_sends (mailbox, place, n) WHERE open;
CREATE INDEX pec_sends_uncertain ON pec_sends (mailbox, place, n) WHERE uncertain;
CREATE INDEX pec_sends_failed ON pec_sends (mailbox, place, n) WHERE failed;
CREATE INDEX pec_sends_unverified ON pec_sends (mailbox, place, n) WHERE unverified;
CREATE INDEX pec_sends_due ON pec_sends (mailbox, place, n) WHERE due_at IS NOT NULL;
CREATE INDEX pec_sends_overdue ON pec_sends (mailbox, place, n) WHERE overdue_at IS NOT NULL;
CREATE INDEX pec_sends_unconfirmed ON pec_sends (mailbox, place, n) WHERE confirm_by IS NOT NULL;

CREATE TABLE pec_cursors (
	mailbox     TEXT    NOT NULL,
	folder      TEXT    NOT NULL,
	uidvalidity INTEGER NOT NULL,
	uid         INTEGER NOT NULL,
	read_at     TEXT    NOT NULL, -- RFC 3339, UTC
	PRIMARY KEY (mailbox, folder)
) STRICT, WITHOUT ROWID;
