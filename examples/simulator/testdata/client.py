"""A client in another language: it sends, moves the clock, meets every reserved
fate, and checks each notice with openssl and with its own reading of the rules."""

import base64, email, imaplib, json, re, smtplib, ssl, subprocess, sys, tempfile, urllib.parse, urllib.request
import xml.etree.ElementTree as ET

ready = json.loads(sys.argv[1])
tls = ssl.create_default_context(cafile=ready["ca"])
accounts = {a["address"]: a for a in ready["accounts"]}
providers = {p["domain"]: p for p in ready["providers"]}
assert len(providers) >= 2 and len(accounts) >= 4, ready
SENDER = "mario@alfa-pec.example"
DOMAIN = "beta-pec.example"


def post(path, body=b"", **query):
    url = ready["control"] + path + "?" + urllib.parse.urlencode(query)
    with urllib.request.urlopen(urllib.request.Request(url, data=body, method="POST")) as r:
        return json.load(r)


def server(address, protocol):
    host, port = providers[address.split("@")[1]][protocol].rsplit(":", 1)
    return host, int(port)


def messages(address):
    with urllib.request.urlopen(ready["control"] + "/messages?" + urllib.parse.urlencode({"address": address})) as r:
        out = json.load(r)
    return out["service"], [base64.b64decode(m) for m in out["messages"] or []]


def send(recipient, number, extra="", text="Buongiorno."):
    account = accounts[SENDER]
    with smtplib.SMTP_SSL(*server(SENDER, "smtp"), context=tls) as c:
        c.login(account["login"], account["password"])
        c.sendmail(SENDER, [recipient], (
            f"From: {SENDER}\r\nTo: {recipient}\r\nSubject: Prova {number}\r\n"
            f"Message-ID: <prova-{number}@alfa-pec.example>\r\n{extra}\r\n{text}\r\n"))
    post("/idle")


def fetch(address):
    account, out = accounts[address], []
    with imaplib.IMAP4_SSL(*server(address, "imap"), ssl_context=tls) as c:
        c.login(account["login"], account["password"])
        status, count = c.select("INBOX", readonly=True)
        assert status == "OK", status
        for i in range(int(count[0])):
            status, data = c.fetch(str(i + 1), "(BODY.PEEK[])")
            assert status == "OK", status
            out.append(data[0][1])
    return out


def verify(raw):
    with tempfile.NamedTemporaryFile() as f:
        f.write(raw)
        f.flush()
        done = subprocess.run(["openssl", "cms", "-verify", "-inform", "SMIME", "-in", f.name, "-CAfile", ready["anchors"],
                               "-out", "/dev/null"], capture_output=True)
        assert done.returncode == 0, done.stderr


HEAD = ["mittente", "destinatari", "risposte", "oggetto"]
DATA = ["gestore-emittente", "data", "identificativo", "msgid"]
# kind: the elements that follow those, and the values of errore
FIELDS = {
    "accettazione": ([], {"nessuno"}),
    "non-accettazione": (["errore-esteso"], {"altro", "virus"}),
    "presa-in-carico": (["ricezione"], {"nessuno"}),
    "rilevazione-virus": (["consegna", "errore-esteso"], {"virus"}),
    "posta-certificata": (["ricevuta"], {"nessuno"}),
    "avvenuta-consegna": (["ricevuta", "consegna"], {"nessuno"}),
    "errore-consegna": (["consegna", "errore-esteso"], {"no-dest", "altro", "virus"}),
    "preavviso-errore-consegna": (["consegna", "errore-esteso"], {"altro"}),
}


def read(raw, number, recipient):
    """checks one message against the rules and gives its kind and its code"""
    verify(raw)
    m = email.message_from_bytes(raw)
    mixed = m.get_payload()[0]
    xml = next(p for p in mixed.get_payload() if p.get_filename() == "daticert.xml")
    root = ET.fromstring(xml.get_payload(decode=True))
    kind = root.get("tipo")
    extra, errors = FIELDS[kind]
    assert root.tag == "postacert" and set(root.attrib) == {"tipo", "errore"} and root.get("errore") in errors, ET.tostring(root)
    head, data = list(root)
    assert [e.tag for e in head] == HEAD and head.tag == "intestazione", ET.tostring(root)
    assert [e.tag for e in data] == DATA + extra and data.tag == "dati", ET.tostring(root)
    assert [e.text for e in head] == [SENDER, recipient, SENDER, f"Prova {number}"], ET.tostring(root)
    assert head[1].attrib == {"tipo": "certificato"}
    assert data.find("msgid").text == f"<prova-{number}@alfa-pec.example>"
    assert not data.find("identificativo").text.startswith("<")
    when = data.find("data")
    assert [e.tag for e in when] == ["giorno", "ora"] and re.fullmatch(r"[+-]\d{4}", when.get("zona"))
    assert re.fullmatch(r"\d\d/\d\d/\d{4}", when[0].text) and re.fullmatch(r"\d\d:\d\d:\d\d", when[1].text)
    if "consegna" in extra:
        assert data.find("consegna").text == recipient
    if "ricezione" in extra:
        assert data.find("ricezione").text == recipient
    if "ricevuta" in extra:
        assert data.find("ricevuta").attrib == {"tipo": "completa"}
    if kind == "posta-certificata":
        assert m["X-Trasporto"] == kind and m["X-Ricevuta"] is None
    else:
        service = kind in ("presa-in-carico", "rilevazione-virus")
        assert m["X-Ricevuta"] == kind and m["X-Trasporto"] is None and m["To"] == (SERVICE if service else SENDER)
        assert m["X-Mittente"] == (SENDER if kind == "rilevazione-virus" else None)
        virus = root.get("errore") == "virus" and not service
        assert m["X-VerificaSicurezza"] == ("errore" if virus else None)
        assert m["From"].startswith("posta-certificata@")
    assert m["X-Riferimento-Message-ID"] == f"<prova-{number}@alfa-pec.example>"
    text = data.findtext("errore-esteso") or ""
    code = re.search(r"\b[245]\.\d+\.\d+\b", text)
    return kind + (" " + code.group() if code else "")


A, D, E, P = "accettazione", "avvenuta-consegna", "errore-consegna", "preavviso-errore-consegna"
# what is there at once, what 12 h add, what 12 h more add
FATES = {
    "luigi": ([A, D], [], []),
    "unknown": ([A, E + " 5.1.1"], [], []),
    "full": ([A, E + " 5.2.2"], [], []),
    "virus": ([A, E + " 5.5.1"], [], []),
    "silent": ([A], [], []),
    "late": ([A], [], [P + " 5.4.1", D]),
    "twice": ([A, D, D], [], []),
    "delay12": ([A], [P], [D]),
    "delay24": ([A], [P], [P + " 5.4.1"]),
}

seen, served = 0, 0
SERVICE, nothing = messages(SENDER)
assert nothing == []
for number, (local, stages) in enumerate(FATES.items()):
    recipient = f"{local}@{DOMAIN}"
    send(recipient, number)
    for stage, want in enumerate(stages):
        if stage:
            post("/advance", d="12h")
        inbox = fetch(SENDER)
        got = [read(raw, number, recipient) for raw in inbox[seen:]]
        assert got == want, (local, stage, got, want)
        seen = len(inbox)
    service = [read(raw, number, recipient) for raw in messages(SERVICE)[1][served:]]
    assert service == ([] if local in ("silent", "delay24") else ["rilevazione-virus"] if local == "virus" else ["presa-in-carico"]), (local, service)
    served += len(service)

# What is not accepted: a hidden recipient, a virus.
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
for number, (extra, text, errore) in enumerate([("Bcc: anna@alfa-pec.example\r\n", "x", "altro"), ("", EICAR, "virus")], 10):
    send(f"luigi@{DOMAIN}", number, extra, text)
    raw = fetch(SENDER)[seen]
    assert read(raw, number, f"luigi@{DOMAIN}") == "non-accettazione" and f'errore="{errore}"'.encode() in base64.b64decode(
        email.message_from_bytes(raw).get_payload()[0].get_payload()[1].get_payload()), raw
    seen += 1

envelopes = fetch(f"luigi@{DOMAIN}")
assert [read(raw, 0, f"luigi@{DOMAIN}") for raw in envelopes] == ["posta-certificata"]

# Mail from outside, a planted message, a fate of one's own, a fault.
post("/inject", b"From: a@posta.example\nTo: " + SENDER.encode() + b"\nSubject: x\n\nciao\n", **{"from": "a@posta.example", "to": SENDER})
post("/idle")
anomaly = fetch(SENDER)[seen]
verify(anomaly)
assert email.message_from_bytes(anomaly)["X-Trasporto"] == "errore"
post("/inject", b"Subject: piantato\r\n\r\n", to=SENDER)
assert fetch(SENDER)[seen + 1] == b"Subject: piantato\r\n\r\n"
seen += 2
post("/fate", json.dumps({"errore": "altro", "errorText": "5.2.1 - B - disattivata"}).encode(), address=f"odd@{DOMAIN}")
send(f"odd@{DOMAIN}", 20)
assert [read(raw, 20, f"odd@{DOMAIN}") for raw in fetch(SENDER)[seen:]] == [A, E + " 5.2.1"]
seen += 2
post("/fault", kind="cut-after-dot")
try:
    send(f"luigi@{DOMAIN}", 21)
    raise AssertionError("the reply came")
except smtplib.SMTPServerDisconnected:
    post("/idle")
assert [read(raw, 21, f"luigi@{DOMAIN}") for raw in fetch(SENDER)[seen:]] == [A, D], "accepted all the same"
try:
    post("/advance", d="-1h")
    raise AssertionError("time went back")
except urllib.error.HTTPError as e:
    assert e.code == 400
print("ok", len(FATES))
