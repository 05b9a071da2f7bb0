CREATE TABLE pec_entries (
	id      BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	mailbox TEXT    NOT NULL,
	place   BIGINT  NOT NULL, -- the number of the transaction that appended it, plus pec_feed.shift
	n       INTEGER NOT NULL, -- of the entry in its append
	key     TEXT    NOT NULL,
	send    TEXT    NOT NULL,
	at      TEXT    NOT NULL, -- RFC 3339, UTC
	data    BYTEA   NOT NULL,
	UNIQUE (mailbox, key),
	UNIQUE (mailbox, place, n)
);

CREATE INDEX pec_entries_send ON pec_entries (mailbox, send, place, n);

CREATE TABLE pec_feed (
	id     INTEGER PRIMARY KEY CHECK (id = 1),
	server TEXT   NOT NULL, -- whose transaction numbers these are
	shift  BIGINT NOT NULL
);

CREATE TABLE pec_raws (
	entry  BIGINT PRIMARY KEY,
	size   BIGINT NOT NULL,
	sha256 BYTEA  NOT NULL
);

CREATE TABLE pec_chunks (
	entry BIGINT  NOT NULL,
	n     INTEGER NOT NULL, -- from 0
	data  BYTEA   NOT NULL,
	PRIMARY KEY (entry, n)
);

ALTER TABLE pec_chunks ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE pec_sends (
	mailbox    TEXT    NOT NULL,
	send       TEXT    NOT NULL,
	place      BIGINT  NOT NULL, -- of the first entry
	n          INTEGER NOT NULL,
	entries    BIGINT  NOT NULL, -- how many there are
	summarized BIGINT  NOT NULL DEFAULT 0, -- how many the summary counts; times are microseconds since 1970
	begun      BIGINT  NOT NULL DEFAULT 0,
	open       BOOLEAN NOT NULL DEFAULT FALSE,
	uncertain  BOOLEAN NOT NULL DEFAULT FALSE,
	failed     BOOLEAN NOT NULL DEFAULT FALSE,
	unverified BOOLEAN NOT NULL DEFAULT FALSE,
	due_at     BIGINT,
	overdue_at BIGINT,
	confirm_by BIGINT,
	PRIMARY KEY (mailbox, send)
);

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
	mailbox     TEXT   NOT NULL,
	folder      TEXT   NOT NULL,
	uidvalidity BIGINT NOT NULL,
	uid         BIGINT NOT NULL,
	read_at     TEXT   NOT NULL, -- RFC 3339, UTC
	PRIMARY KEY (mailbox, folder)
);
