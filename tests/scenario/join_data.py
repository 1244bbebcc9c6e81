"""Random files of four partners about the same people, written the way four organisations would: each in its own spelling, with gaps.

A World knows of each row that it wrote whether it must be taken, and otherwise with which column and reason code it is refused.
"""
import csv
import datetime
import io
import random
import unicodedata

import plaintext_join

COLUMNS = ["client_ref", "purpose", "kind", "category", "bsn", "surname", "surname_prefix", "given_names", "birth_date",
           "postcode", "house_number", "house_letter", "house_suffix", "contact", "note"]
PARTNERS = ["politie", "gemeente", "jeugdzorg", "woningcorporatie"]
PURPOSES = ["onaantastbaren", "risicojeugd", "gezinsaanpak"]
CATEGORIES = ["overlast", "geweld", "middelen", "schulden", "verzuim", "huiselijk_geweld", "criminele_contacten", "zorgmijding"]
CASE_REPORTERS = ["politie", "gemeente"]
SURNAMES = ["Käster", "O'Neill", "Jansen - de Vries", "Strauß", "Yılmaz", "Yilmaz", "Løkke", "Lokke", "Đorđević", "Dordevic",
            "Ĳsselstein", "Ysselstein", "Παπαδόπουλος", "Йовков", "Иовков", "İnan", "Ｊａｎｓｓｅｎ", "Nguyễn Văn", "王", "الأمين", "Smith 3rd",
            "Özdemir", "Æbeltoft", "El-Amrani", "Groot", "Bakker", "Smeets", "Müller", "Mueller", "d'Hondt", "Łukasz", "Şahin"]
# Other names, however alike they look: they must not be joined.
ALIKE = [("Yılmaz", "Yilmaz"), ("Løkke", "Lokke"), ("Đorđević", "Dordevic"), ("Ĳsselstein", "Ysselstein"), ("Æbeltoft", "Aebeltoft"),
         ("Łukasz", "Lukasz"), ("Müller", "Mueller"), ("Straße", "Strase")]
GIVEN_NAMES = ["Élodie Maria", "Eva", "Øyvind", "Olaf", "Ĳsbrand", "Jan-Piet", "Şeyma", "Sem", "Əli", "Юсуф", "Daan", "D'Angelo", "Çelik", "王芳"]
NOTES = ["", "Zorgen van school.", 'Zei: "kom niet terug", en liep weg.', "Eerste regel,\ntweede regel.", "a;b;c"]
# The node's day may differ from ours around midnight: dates near a bound keep this far from it.
NEAR_MIDNIGHT = datetime.timedelta(days=2)


def passes_eleven_test(digits):
    return sum(weight * int(digit) for weight, digit in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), digits)) % 11 == 0 and int(digits) != 0


def sixteen_years_before(day):
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 16, day=28 if leap_day else day.day)


class World:
    def __init__(self, seed, any_bsn, people=800):
        self.random = random.Random(seed)
        self.any_bsn = any_bsn
        self.today = datetime.date.today()
        self.used_bsns = set()
        self.count = dict.fromkeys(PARTNERS, 0)
        self.homes = [self.home() for _ in range(people // 3)]
        self.people = [self.person() for _ in range(people)]
        for twin in self.random.sample(range(1, people), people // 10):
            self.people[twin] = self.twin_of(self.people[twin - 1])
        # Per partner: (row as dict or bytes, None when it must be taken or (column, reason)).
        self.entries = {partner: [] for partner in PARTNERS}
        for person in self.people:
            self.report_some(person)
        for partner in PARTNERS:
            self.random.shuffle(self.entries[partner])
        self.add_known_references()
        self.add_refused()

    # Subjects.

    def bsn(self):
        while True:
            if self.any_bsn:
                digits = f"{self.random.randrange(10**7 if self.random.random() < 0.2 else 10**8, 10**9):09d}"
            else:
                digits = f"99999{self.random.randrange(10**4):04d}"
            if passes_eleven_test(digits) and digits not in self.used_bsns:
                self.used_bsns.add(digits)
                return digits

    def home(self):
        pick = self.random
        return {"postcode": f"{pick.randint(6211, 6213)}{pick.choice('ABC')}{pick.choice('XYZ')}", "house_number": str(pick.randint(1, 30)),
                "house_letter": pick.choice(["", "", "A", "B"]), "house_suffix": pick.choice(["", "", "2H", "1"])}

    def person(self):
        child = self.random.random() < 0.5
        youngest, oldest = (self.today - NEAR_MIDNIGHT, sixteen_years_before(self.today) + NEAR_MIDNIGHT) if child else \
                           (datetime.date(2009, 1, 1), datetime.date(1930, 1, 1))
        born = oldest + datetime.timedelta(days=self.random.randint(0, (youngest - oldest).days))
        return {"bsn": self.bsn(), "surname": self.random.choice(SURNAMES), "surname_prefix": self.random.choice(["", "", "van der"]),
                "given_names": self.random.choice(GIVEN_NAMES), "birth_date": born.isoformat(), **self.random.choice(self.homes)}

    def twin_of(self, person):
        """Of the same day and home. Half of them share surname and initial: only the BSN tells them apart, where it is known."""
        twin = {**person, "bsn": self.bsn(), "given_names": plaintext_join.fold(person["given_names"])[0] + "mma"}
        if self.random.random() < 0.5:
            person["surname"], twin["surname"] = self.random.choice(ALIKE)
        return twin

    def is_child(self, person):
        return datetime.date.fromisoformat(person["birth_date"]) > sixteen_years_before(self.today)

    # How a partner writes them down.

    def spelled(self, name):
        ways = [str.upper, str.lower, str.title, lambda n: unicodedata.normalize("NFD", n), lambda n: unicodedata.normalize("NFKC", n),
                lambda n: n.replace("-", " "), lambda n: n.replace("-", "\u2013"), lambda n: n.replace("'", "\u2019"),
                lambda n: n.replace("'", "\u02bc"), lambda n: n.replace(" ", ""), lambda n: f"  {n} ", lambda n: f"\u00a0{n}\u3000",
                lambda n: "".join(c for c in unicodedata.normalize("NFD", n) if not unicodedata.combining(c))]
        for way in self.random.sample(ways, self.random.choice([0, 0, 1, 2])):
            name = way(name)
        return name

    def written(self, partner, person):
        pick = self.random
        row = {**dict.fromkeys(COLUMNS, ""), **person}
        row["surname"], row["given_names"] = self.spelled(person["surname"]), self.spelled(person["given_names"])
        if pick.random() < 0.2:
            row["given_names"] = plaintext_join.fold(person["given_names"])[0] + "."
        if row["bsn"].startswith("0") and pick.random() < 0.5:
            row["bsn"] = row["bsn"][1:]
        if pick.random() < 0.5:
            row["postcode"] = pick.choice([row["postcode"].lower(), f" {row['postcode'][:4]} {row['postcode'][4:]}\u00a0"])
        row["house_number"] = pick.choice(["", "", "00"]) + row["house_number"]
        row["house_letter"] = pick.choice([str.upper, str.lower])(row["house_letter"])
        row["house_suffix"] = pick.choice(["2-h", "2 H", "2H", "2h"]) if row["house_suffix"] == "2H" else row["house_suffix"]
        if partner == "woningcorporatie":
            row["bsn"] = ""
        return row

    def report(self, partner, purpose, person):
        full = self.written(partner, person)
        self.count[partner] += 1
        # The same references at every partner: they are told apart by who sent them.
        full.update(client_ref=self.random.choice(["R-{}", "R {}", "dossier «{}», A", '"{}"']).format(self.count[partner]),
                    purpose=purpose, category=self.random.choice(CATEGORIES), contact=f"balie {partner}", note=self.random.choice(NOTES),
                    kind="case_report" if purpose == "risicojeugd" and partner in CASE_REPORTERS and self.random.random() < 0.4 else "signal")
        row = dict(full)
        for field in ["bsn", "surname", "given_names", "birth_date", "postcode"]:
            if self.random.random() < 0.2 and (field, purpose) != ("birth_date", "risicojeugd"):
                row[field] = self.random.choice(["", " ", "-"] if "name" in field else ["", " "])
        return row if plaintext_join.has_key(row) else full

    def report_some(self, person):
        for _ in range(self.random.choice([1, 1, 2, 2, 3, 4])):
            purpose = self.random.choice(["risicojeugd", *PURPOSES] if self.is_child(person) else ["onaantastbaren", "gezinsaanpak"])
            partner = self.random.choice(PARTNERS)
            self.entries[partner].append((self.report(partner, purpose, person), None))

    # Rows that are no new signals.

    def add_known_references(self):
        for partner in PARTNERS:
            taken = [row for row, _ in self.entries[partner]]
            for row in self.random.sample(taken, 5):
                self.entries[partner].append((row, None))
            self.entries[partner].append(({**taken[0], "note": "andere inhoud"}, ("client_ref", "CLIENT_REF_CONFLICT")))

    def add_refused(self):
        """Each kind of fault once or more, in a row that would have joined somebody if it were taken."""
        tomorrow_and_more = (self.today + NEAR_MIDNIGHT).isoformat()
        at = lambda column, value, reason, **more: ({column: value, **more}, (column, reason))
        young = {"purpose": "risicojeugd"}
        kinds = [at("bsn", "123456789", "BSN_INVALID"), at("bsn", "000000000", "BSN_INVALID"), at("bsn", "9999900x1", "BSN_INVALID"),
                 at("birth_date", "2014-02-30", "DATE_INVALID"), at("birth_date", "2010-00-00", "DATE_INVALID"),
                 at("birth_date", tomorrow_and_more, "DATE_INVALID"), at("birth_date", "01-02-2003", "DATE_INVALID"),
                 at("postcode", "0211 AB", "POSTCODE_INVALID"), at("house_number", "0", "HOUSE_NUMBER_INVALID"),
                 at("house_letter", "1", "HOUSE_LETTER_INVALID"), at("house_suffix", "bis/2", "HOUSE_SUFFIX_INVALID"),
                 at("purpose", "opsporing", "PURPOSE_UNKNOWN"), at("kind", "case", "KIND_INVALID"), at("category", "onbekend", "CATEGORY_UNKNOWN"),
                 at("kind", "case_report", "KIND_NOT_ALLOWED", purpose="onaantastbaren"),
                 at("birth_date", (sixteen_years_before(self.today) - NEAR_MIDNIGHT).isoformat(), "AGE_NOT_ALLOWED", **young),
                 at("birth_date", "", "AGE_UNKNOWN", **young), at("client_ref", "", "FIELD_MISSING"), at("kind", "", "FIELD_MISSING"),
                 at("client_ref", "x" * 129, "FIELD_TOO_LONG"), at("note", "é" * 1001, "FIELD_TOO_LONG"), at("surname", "s" * 257, "FIELD_TOO_LONG"),
                 ({"purpose": "gezinsaanpak", "house_number": ""}, ("", "NO_RULE_APPLIES"))]
        if not self.any_bsn:
            kinds.append(at("bsn", "111222333", "BSN_OUTSIDE_TEST_RANGE"))
        for number, (change, verdict) in enumerate(kinds):
            # At most ten at one partner: the demonstration prints no more.
            self.add_refused_row(PARTNERS[number % (3 if "bsn" in change else 4)], change, verdict)
        self.add_refused_row("jeugdzorg", {"purpose": "risicojeugd", "kind": "case_report"}, ("kind", "KIND_NOT_ALLOWED"))
        self.add_refused_row("woningcorporatie", {"bsn": self.bsn()}, ("bsn", "BSN_NOT_ENTITLED"))
        self.add_refused_row("woningcorporatie", {"purpose": "risicojeugd", "kind": "case_report"}, ("kind", "KIND_NOT_ALLOWED"))
        for partner in PARTNERS:
            self.insert(partner, b'R-X,"forgotten quote,onaantastbaren,signal', ("", "ROW_MALFORMED"))
        self.insert("woningcorporatie", b"R-Y,too,few,columns", ("", "ROW_MALFORMED"))

    def add_refused_row(self, partner, change, verdict):
        row = self.report(partner, "risicojeugd", self.random.choice([p for p in self.people if self.is_child(p)]))
        self.insert(partner, {**row, "kind": "signal", **change}, verdict)

    def insert(self, partner, row, verdict):
        self.entries[partner].insert(self.random.randrange(len(self.entries[partner]) - 6), (row, verdict))

    # Files.

    def taken(self):
        """(partner, row) of every live signal, once."""
        once = {(partner, row["client_ref"]): row for partner in PARTNERS for row, verdict in self.entries[partner] if verdict is None}
        return [(partner, row) for (partner, _), row in once.items()]

    def write(self, folder):
        """Writes <partner>.csv and returns, per partner, (line, column, reason) of each row that must be refused."""
        folder.mkdir()
        return {partner: self.write_file(folder / f"{partner}.csv", self.entries[partner]) for partner in PARTNERS}

    def write_file(self, path, entries):
        columns = self.random.sample(COLUMNS, len(COLUMNS))
        quoting, end = self.random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), self.random.choice(["\n", "\r\n"])
        out = bytearray(self.random.choice([b"", b"\xef\xbb\xbf"]))
        refused = []

        def add(fields):
            text = io.StringIO()
            csv.writer(text, quoting=quoting, lineterminator=end).writerow(fields)
            out.extend(text.getvalue().encode())

        add(columns)
        for row, verdict in entries:
            if self.random.random() < 0.02:
                out.extend(end.encode())
            if verdict:
                refused.append((out.count(b"\n") + 1, *verdict))
            if isinstance(row, bytes):
                out.extend(row + end.encode())
            else:
                add([row[column] for column in columns])
        path.write_bytes(out)
        return refused
